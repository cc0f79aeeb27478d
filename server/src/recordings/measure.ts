import { Readable } from "node:stream";

import type { FailureReason } from "@aftercall/contract/analysis/step.ts";
import type { TurnRole } from "@aftercall/contract/call.ts";

import { AudioRefused } from "#/audio/failure.ts";
import { putEncrypted } from "#/blobs/encrypted.ts";

import type { RecordingDeps } from "./deps.ts";
import { openDataKey } from "./key.ts";
import { recordingLimits } from "./limits.ts";
import { withRecordingFile } from "./read.ts";
import { loadRecording, markMeasured, type RecordingRow, type SpeechByChannel } from "./store.ts";

export type MeasureInput = { readonly tenantId: string; readonly recordingId: string; readonly signal?: AbortSignal };

/** A recording that was decoded once. */
export type MeasuredFacts = {
  readonly durationMs: number;
  readonly channels: number;
  /** Who speaks on which channel, the first channel first; empty where nobody knows. */
  readonly channelMap: readonly TurnRole[];
  readonly speechByChannel: SpeechByChannel;
  /** Nobody speaks on any channel. */
  readonly isSilent: boolean;
};

export type MeasureResult =
  | { readonly kind: "measured"; readonly recording: RecordingRow; readonly facts: MeasuredFacts }
  | { readonly kind: "gone" }
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly detail: string };

/**
 * Decodes a stored recording once, in a thread and in bounded memory, and keeps what came of it: form, length, when somebody
 * speaks on which channel, peaks. Called again it answers from the row.
 * @throws BlobsUnavailable, BlobRefused: come again.
 */
export async function measureRecording(deps: RecordingDeps, input: MeasureInput): Promise<MeasureResult> {
  const { tenantId, recordingId, signal } = input;
  const row = await deps.db.inTransaction([tenantId], (tx) => loadRecording(tx, tenantId, recordingId));
  const dataKey = row?.state === "stored" ? openDataKey(deps.box, row) : null;
  if (!row || !dataKey) return { kind: "gone" };
  const known = factsOf(row);
  if (known) return { kind: "measured", recording: row, facts: known };
  try {
    const heard = await withRecordingFile(deps, row, (path) => deps.audio.analyse(path, signal), signal);
    const peaks = Buffer.from(heard.peaks.buffer, heard.peaks.byteOffset, heard.peaks.length);
    const limits = { bytesMax: recordingLimits.bytesMax, timeMsMax: recordingLimits.downloadMsMax };
    const stored = await putEncrypted(deps.blobs, Readable.from([peaks]), { dataKey, random: deps.random }, limits);
    const { facts } = heard;
    const measured = await deps.db.inTransaction([tenantId], (tx) =>
      markMeasured(tx, {
        tenant_id: tenantId,
        id: recordingId,
        mime: facts.mime,
        codec: facts.codec,
        sample_rate_hz: facts.sampleRateHz,
        channels: facts.channels,
        channel_map: row.channel_map.length === facts.channels ? row.channel_map : [],
        duration_ms: facts.durationMs,
        peaks_key: stored.key,
        peaks_bytes: stored.bytes,
        speech: heard.speechByChannel,
      }),
    );
    const after = measured && factsOf(measured);
    if (measured && after) return { kind: "measured", recording: measured, facts: after };
    await deps.blobs.remove(stored.key);
    return { kind: "gone" };
  } catch (error) {
    if (error instanceof AudioRefused) return { kind: "failed", reason: error.reason, detail: error.message };
    throw error;
  }
}

/** What is known of a recording once it was decoded; null before. */
export function factsOf(row: RecordingRow): MeasuredFacts | null {
  const { duration_ms: durationMs, channels, speech, channel_map: channelMap } = row;
  if (durationMs === null || channels === null || speech === null) return null;
  const isSilent = speech.every((intervals) => intervals.length === 0);
  return { durationMs, channels, channelMap, speechByChannel: speech, isSilent };
}
