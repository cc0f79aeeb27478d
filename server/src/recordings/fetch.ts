import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";

import type { FailureReason } from "@aftercall/contract/analysis/step.ts";
import type { TurnRole } from "@aftercall/contract/call.ts";

import { AudioRefused } from "#/audio/failure.ts";
import { headOf } from "#/audio/head.ts";
import { mimeOf, sniff } from "#/audio/sniff.ts";
import { BlobsUnavailable } from "#/blobs/blobs.ts";
import { putEncrypted } from "#/blobs/encrypted.ts";
import { BlobRefused, type Spooled } from "#/blobs/spool.ts";
import { messageOf } from "#/kernel/errors.ts";
import { fileAt, type RecordingAsk, type StoredAudio } from "#/providers/recording.ts";

import { type Announced, findAnnounced } from "./announced.ts";
import { openCarried } from "./carried.ts";
import type { RecordingDeps } from "./deps.ts";
import { downloadRecording } from "./download.ts";
import { sealDataKey } from "./key.ts";
import { recordingLimits } from "./limits.ts";
import { lookUp } from "./lookup.ts";
import { NotFetched } from "./not-fetched.ts";
import { beginRecording, markMissing, markStored, type RecordingRow } from "./store.ts";

export type FetchInput = {
  readonly tenantId: string;
  readonly callId: string;
  /** How many attempts were made before this one. */
  readonly attempt: number;
  /** Ask the provider's API for a recording that nobody announced: once, when waiting for word of it is over. */
  readonly askProvider?: boolean;
  /** Only administrators may hear it. */
  readonly isRestricted?: boolean;
  readonly signal?: AbortSignal;
};

export type FetchResult =
  | { readonly kind: "stored"; readonly recording: RecordingRow }
  /** Nobody said that there is one. */
  | { readonly kind: "none"; readonly reason: "no_recording"; readonly detail: string }
  /** The provider said that there will be one; its event is the moment to come again. */
  | { readonly kind: "waiting"; readonly detail: string }
  | {
      readonly kind: "retry";
      readonly retryAfterMs: number;
      readonly reason: FailureReason;
      readonly detail: string;
    }
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly detail: string };

/**
 * Fetches the recording of a call into our own store, encrypted with a key of its own. One attempt; the result says when the next
 * one is due. Called again for what is stored it answers from the row. Nothing is thrown for what a provider can cause.
 */
export async function fetchRecording(deps: RecordingDeps, input: FetchInput): Promise<FetchResult> {
  const announced = await findAnnounced(deps, input);
  if (announced.kind !== "asks") return announced;
  const row = await deps.db.inTransaction([input.tenantId], (tx) =>
    beginRecording(tx, {
      tenant_id: input.tenantId,
      id: deps.ids.next(),
      call_id: announced.callId,
      kind: "original",
      source_digest: createHash("sha256").update(announced.identity).digest(),
      is_restricted: input.isRestricted ?? false,
    }),
  );
  if (row.state === "stored") return { kind: "stored", recording: row };
  if (row.state === "deleted") return { kind: "none", reason: "no_recording", detail: "The recording was erased" };
  try {
    return await fetchInto(deps, row, announced, input);
  } catch (error) {
    return noted(deps, row, resultOf(error, input.attempt));
  }
}

async function fetchInto(
  deps: RecordingDeps,
  row: RecordingRow,
  announced: Extract<Announced, { kind: "asks" }>,
  { signal }: FetchInput,
): Promise<FetchResult> {
  const { spooled, channelMap, carried } = await firstThatAnswers(deps, row.tenant_id, announced, signal);
  await using file = spooled;
  const mime = mimeOf(sniff(await headOf(file.path)));
  const dataKey = deps.random(32);
  const limits = { bytesMax: recordingLimits.bytesMax, timeMsMax: recordingLimits.downloadMsMax };
  const { key } = await putEncrypted(
    deps.blobs,
    createReadStream(file.path, { highWaterMark: 262_144 }),
    { dataKey, random: deps.random },
    { ...limits, ...(signal && { signal }) },
  );
  const stored = await deps.db.inTransaction([row.tenant_id], (tx) =>
    markStored(tx, {
      tenant_id: row.tenant_id,
      id: row.id,
      blob_key: key,
      sha256: file.sha256,
      bytes: file.bytes,
      mime,
      sealed_key: sealDataKey(deps.box, row.tenant_id, row.id, dataKey),
      channel_map: [...channelMap],
    }),
  );
  if (stored) {
    // The copy that the event carried has served; should removing it fail, it stays as bytes that only its event opens.
    if (carried) await deps.blobs.remove(carried.blob_key).catch(() => {});
    return { kind: "stored", recording: stored };
  }
  await deps.blobs.remove(key);
  return { kind: "none", reason: "no_recording", detail: "The recording was erased" };
}

/** Tries the ways to a recording in their order. @throws what the last of them threw. */
async function firstThatAnswers(
  deps: RecordingDeps,
  tenantId: string,
  { asks, privateTargets }: Extract<Announced, { kind: "asks" }>,
  signal: AbortSignal | undefined,
): Promise<{ spooled: Spooled; channelMap: readonly TurnRole[]; carried: StoredAudio | null }> {
  const ways: RecordingAsk[] = [...asks];
  const options = { privateTargets, ...(signal && { signal }) };
  let failure: unknown = new NotFetched("recording_unavailable", noAddress, {});
  for (let tried = 0; tried < recordingLimits.waysMax; tried++) {
    const ask = ways.shift();
    if (!ask) break;
    try {
      // oxlint-disable-next-line no-await-in-loop -- The next way is for when this one fails.
      if (ask.kind === "lookup") ways.unshift(...(await lookUp(deps, ask, options)));
      // oxlint-disable-next-line no-await-in-loop -- As above.
      else return await spooledWith(ask);
    } catch (error) {
      if (!(error instanceof NotFetched)) throw error;
      failure = worthier(failure, error);
    }
  }
  throw failure;

  async function spooledWith(ask: Exclude<RecordingAsk, { kind: "lookup" }>) {
    const spooled = await spooledBy(deps, tenantId, ask, options);
    return { spooled, channelMap: ask.channelMap, carried: ask.kind === "stored" ? ask.stored : null };
  }
}

/** Of two failures the one that may pass: while any way may still work, there is another attempt. */
function worthier(before: unknown, now: NotFetched): unknown {
  const isBeforeHopeful = before instanceof NotFetched && !before.isFinal && before.message !== noAddress;
  return now.isFinal && isBeforeHopeful ? before : now;
}

const noAddress = "The provider names no address of it";

/** Out of our own store, where intake put it: from there it goes to its own place. */
async function spooledFromStore(deps: RecordingDeps, tenantId: string, stored: StoredAudio): Promise<Spooled> {
  const { bytesMax, downloadMsMax } = recordingLimits;
  const stream = await openCarried(deps, tenantId, stored).catch((error: unknown) => {
    if (error instanceof BlobsUnavailable) throw error;
    throw new NotFetched("recording_unavailable", "What the event carried is gone", { isFinal: true, cause: error });
  });
  return deps.spool.write(stream, { bytesMax, timeMsMax: downloadMsMax });
}

function spooledBy(
  deps: RecordingDeps,
  tenantId: string,
  ask: Exclude<RecordingAsk, { kind: "lookup" }>,
  options: { privateTargets: readonly string[]; signal?: AbortSignal },
): Promise<Spooled> {
  if (ask.kind === "file") return downloadRecording(deps, fileAt(ask.url, ask), options);
  if (ask.kind === "stored") return spooledFromStore(deps, tenantId, ask.stored);
  const { bytesMax, downloadMsMax } = recordingLimits;
  return deps.spool.write(Readable.from([ask.bytes]), { bytesMax, timeMsMax: downloadMsMax });
}

/** What became of an attempt. Our own store and disk are reasons to come again, never to give up. */
function resultOf(error: unknown, attempt: number): Exclude<FetchResult, { kind: "stored" }> {
  if (error instanceof AudioRefused) return { kind: "failed", reason: error.reason, detail: error.message };
  const isOurs = error instanceof BlobsUnavailable || error instanceof BlobRefused;
  if (!isOurs && !(error instanceof NotFetched)) throw error;
  const reason = error instanceof NotFetched ? error.reason : "recording_unavailable";
  const detail = messageOf(error);
  const asked = error instanceof NotFetched ? error.waitMs : null;
  const planned = recordingLimits.scheduleMs[attempt + 1];
  if ((error instanceof NotFetched && error.isFinal) || planned === undefined)
    return { kind: "failed", reason, detail };
  return { kind: "retry", retryAfterMs: Math.max(planned, asked ?? 0), reason, detail };
}

async function noted(
  { db }: RecordingDeps,
  row: RecordingRow,
  result: Exclude<FetchResult, { kind: "stored" }>,
): Promise<FetchResult> {
  if (result.kind !== "retry" && result.kind !== "failed") return result;
  const state = result.kind === "failed" ? ("failed" as const) : ("pending" as const);
  const { reason, detail } = result;
  await db.inTransaction([row.tenant_id], (tx) =>
    markMissing(tx, { tenant_id: row.tenant_id, id: row.id, state, reason, detail }),
  );
  return result;
}
