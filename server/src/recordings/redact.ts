import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

import type { FailureReason } from "@aftercall/contract/analysis/step.ts";

import { AudioRefused } from "#/audio/failure.ts";
import { headOf } from "#/audio/head.ts";
import { mimeOf, sniff } from "#/audio/sniff.ts";
import { putEncrypted } from "#/blobs/encrypted.ts";

import type { RecordingDeps } from "./deps.ts";
import { sealDataKey } from "./key.ts";
import { recordingLimits } from "./limits.ts";
import { measureRecording } from "./measure.ts";
import { withRecordingFile } from "./read.ts";
import { beginRecording, findRecording, markStored, type RecordingRow, replaceRedacted } from "./store.ts";

export type RedactInput = {
  readonly tenantId: string;
  readonly recordingId: string;
  /** Milliseconds from the start. */
  readonly windows: readonly (readonly [startMs: number, endMs: number])[];
  readonly signal?: AbortSignal;
};

export type RedactResult =
  | { readonly kind: "stored"; readonly recording: RecordingRow }
  | { readonly kind: "gone" }
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly detail: string };

/** What encoders add or cut at the ends of a file. */
const differenceMsMax = 250;

/**
 * Keeps a copy of a stored recording with silence in these windows, of the same length. The same windows again give the same
 * copy; others give another one, and the copy before goes.
 * @throws BlobsUnavailable, BlobRefused: come again.
 */
export async function redactRecording(deps: RecordingDeps, input: RedactInput): Promise<RedactResult> {
  const { tenantId, recordingId, windows, signal } = input;
  const original = await findRecording(deps.db, { tenantId, recordingId });
  if (original?.state !== "stored" || !original.sha256) return { kind: "gone" };
  const identity = JSON.stringify([original.sha256.toString("hex"), windows]);
  const row = await deps.db.inTransaction([tenantId], (tx) =>
    beginRecording(tx, {
      tenant_id: tenantId,
      id: deps.ids.next(),
      call_id: original.call_id,
      kind: "redacted",
      source_digest: createHash("sha256").update(identity).digest(),
    }),
  );
  if (row.state === "stored") return { kind: "stored", recording: row };
  if (row.state === "deleted" && row.reason === "erased") return { kind: "gone" };
  try {
    return await withRecordingFile(
      deps,
      original,
      async (path, newPath) => {
        const output = newPath("audio");
        await deps.audio.mute(path, output, windows, signal);
        return keep(deps, { original, row, output }, signal);
      },
      signal,
    );
  } catch (error) {
    if (error instanceof AudioRefused) return { kind: "failed", reason: error.reason, detail: error.message };
    throw error;
  }
}

async function keep(
  deps: RecordingDeps,
  { original, row, output }: { original: RecordingRow; row: RecordingRow; output: string },
  signal: AbortSignal | undefined,
): Promise<RedactResult> {
  const { facts } = await deps.audio.analyse(output, signal);
  const wanted = original.duration_ms ?? facts.durationMs;
  if (Math.abs(facts.durationMs - wanted) > differenceMsMax) {
    const detail = `The redacted recording came out ${facts.durationMs - wanted} ms longer than the original`;
    return { kind: "failed", reason: "recording_unreadable", detail };
  }
  const digest = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(output, { highWaterMark: 262_144 })) {
    digest.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  const dataKey = deps.random(32);
  const { key } = await putEncrypted(
    deps.blobs,
    createReadStream(output, { highWaterMark: 262_144 }),
    { dataKey, random: deps.random },
    {
      bytesMax: recordingLimits.bytesMax,
      timeMsMax: recordingLimits.downloadMsMax,
      ...(signal && { signal }),
    },
  );
  const mime = mimeOf(sniff(await headOf(output)));
  const { stored, unused } = await deps.db.inTransaction([row.tenant_id], async (tx) => ({
    stored: await markStored(tx, {
      tenant_id: row.tenant_id,
      id: row.id,
      blob_key: key,
      sha256: digest.digest(),
      bytes,
      mime,
      sealed_key: sealDataKey(deps.box, row.tenant_id, row.id, dataKey),
      channel_map: original.channel_map,
    }),
    unused: await replaceRedacted(tx, row),
  }));
  // Nobody reads them any more: their keys went with the rows.
  await Promise.all((stored ? unused : [...unused, key]).map((one) => deps.blobs.remove(one).catch(() => {})));
  if (!stored) return { kind: "gone" };
  const measured = await measureRecording(deps, {
    tenantId: row.tenant_id,
    recordingId: row.id,
    ...(signal && { signal }),
  });
  return { kind: "stored", recording: measured.kind === "measured" ? measured.recording : stored };
}
