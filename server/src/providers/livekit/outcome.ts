import type { CallOutcome } from "@aftercall/contract/call.ts";

/** What LiveKit's DisconnectReason says about how a call went (livekit/protocol `livekit_models.proto`). */
const outcomeByReason: ReadonlyMap<string, CallOutcome> = new Map([
  ["USER_REJECTED", "busy"],
  ["USER_UNAVAILABLE", "no_answer"],
  ["SIP_TRUNK_FAILURE", "failed"],
  ["JOIN_FAILURE", "failed"],
  ["MEDIA_FAILURE", "failed"],
  ["AGENT_ERROR", "failed"],
]);

/** Reasons of a participant that comes back at once: the call goes on. */
const rejoinReasons: ReadonlySet<string> = new Set(["DUPLICATE_IDENTITY", "MIGRATION"]);

/**
 * How a call went: by the reason LiveKit gives where it says so, else by the rules of the Call Outcomes API, the first that
 * matches: "busy" in the reason · under 3 s, or "error" in the reason · under 10 s · anything else. A caller who rang for 32 s
 * and was unavailable did not answer, though the length alone would say that the call was completed.
 */
export function outcomeOf(reason: string | null, durationMs: number | null): CallOutcome {
  const word = reason?.toUpperCase() ?? "";
  const known = outcomeByReason.get(word);
  if (known) return known;
  const seconds = durationMs === null ? Infinity : Math.floor(durationMs / 1000);
  if (word.includes("BUSY")) return "busy";
  if (seconds < 3 || word.includes("ERROR")) return "failed";
  return seconds < 10 ? "no_answer" : "completed";
}

export function isRejoin(reason: string | null): boolean {
  return rejoinReasons.has(reason?.toUpperCase() ?? "");
}
