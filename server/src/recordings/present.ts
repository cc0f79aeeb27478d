import { toPublicId } from "@aftercall/contract/id.ts";
import type { Recording } from "@aftercall/contract/recording.ts";

import type { RecordingRow } from "./store.ts";

/** A recording as the API shows it. */
export function presentRecording(row: RecordingRow): Recording {
  return {
    id: toPublicId("recording", row.id),
    call_id: toPublicId("call", row.call_id),
    kind: row.kind,
    state: row.state,
    reason: row.reason,
    detail: row.detail && `${row.detail}.`,
    sha256: row.sha256?.toString("hex") ?? null,
    bytes: row.bytes,
    mime: row.mime,
    codec: row.codec,
    sample_rate_hz: row.sample_rate_hz,
    channels: row.channels,
    channel_map: row.channel_map,
    duration_ms: row.duration_ms,
    created_at: row.created_at.toISOString(),
    stored_at: row.stored_at?.toISOString() ?? null,
  };
}

/**
 * Peaks of 10 ms made fewer: per channel a list of lowest, highest, lowest, highest, …; each pair stands for `bucket_ms`. Nothing
 * loud is lost, whatever the number of points.
 */
export function presentPeaks(peaks: Int8Array, channels: number, pointsMax: number, peakMs: number) {
  const buckets = Math.floor(peaks.length / 2 / channels);
  const merged = Math.max(Math.ceil(buckets / pointsMax), 1);
  const points = Math.ceil(buckets / merged);
  return {
    bucket_ms: merged * peakMs,
    channels: Array.from({ length: channels }, (_, channel) =>
      Array.from({ length: points }, (_point, point) =>
        extremes(peaks, channels, channel, point * merged, merged),
      ).flat(),
    ),
  };
}

function extremes(peaks: Int8Array, channels: number, channel: number, from: number, count: number): [number, number] {
  let [low, high] = [0, 0];
  for (let bucket = from; bucket < from + count; bucket++) {
    const at = (bucket * channels + channel) * 2;
    low = Math.min(low, peaks[at] ?? 0);
    high = Math.max(high, peaks[at + 1] ?? 0);
  }
  return [low, high];
}
