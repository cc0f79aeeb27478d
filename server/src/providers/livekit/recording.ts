import type { RecordingInfo } from "@aftercall/contract/call.ts";

import type { JsonObject } from "../json.ts";
import { durationOf, listOf, numberOf, objectOf, textOf, wordOf } from "../read.ts";

/**
 * What an egress says about the recording: still going, there, or failed. Null for one that writes no file (a stream), and
 * before its end nothing but that it is awaited.
 */
export function recordingOf(egress: JsonObject | null): RecordingInfo | null {
  if (!egress) return null;
  const status = wordOf(egress["status"])?.replace("egress_", "") ?? "starting";
  const file = fileOf(egress);
  if (status === "failed" || status === "aborted") return { ...nothing, status: "failed" };
  if (status !== "complete" && status !== "limit_reached") return { ...nothing, status: "pending" };
  if (!file) return null;
  const url = textOf(file["downloadUrl"]) ?? textOf(file["location"]);
  return { status: url ? "available" : "absent", url, duration_ms: fileDuration(file["duration"]), channels: null };
}

const nothing = { url: null, duration_ms: null, channels: null };

/** Newer servers list files, older ones name one. */
function fileOf(egress: JsonObject): JsonObject | null {
  return objectOf(listOf(egress["fileResults"])[0]) ?? objectOf(egress["file"]);
}

/** Nanoseconds on LiveKit's wire, milliseconds in the Call Outcomes API: 1e9 would be a second of the one and eleven days of the other. */
function fileDuration(value: unknown): number | null {
  return durationOf(value, (numberOf(value) ?? 0) > 1e9 ? "ns" : "ms");
}
