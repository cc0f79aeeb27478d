import type { Alias, CallEvent, Heard } from "../provider.ts";
import { aliasOf, durationOf, objectAt, phoneOf, textOf, wordOf } from "../read.ts";
import type { ElevenLabsMessage } from "./payload.ts";

/**
 * `call_initiation_failure`: an outbound call that never came about; it ended when ElevenLabs says so. `metadata.body` is
 * Twilio's status callback as JSON, or what the SIP trunk answered.
 */
export function failureContent({ at, data }: ElevenLabsMessage): Partial<CallEvent> {
  const body = bodyOf(data);
  const reason = wordOf(data["failure_reason"]);
  return {
    heard: heardOf(reason),
    facts: {
      direction: "outbound",
      from_number: phoneOf(body["From"]) ?? phoneOf(body["from_number"]),
      to_number: phoneOf(body["To"]) ?? phoneOf(body["to_number"]),
      ended_at: at,
      duration_ms: durationOf(body["CallDuration"], "s"),
      ended_reason: reason,
      failure_reason: textOf(body["error_reason"]) ?? textOf(body["ErrorMessage"]),
      agent_id: textOf(data["agent_id"]),
    },
    isReport: true,
  };
}

/** The carrier's name of the call. */
export function failureAliases({ data }: ElevenLabsMessage): readonly Alias[] {
  const body = bodyOf(data);
  return [...aliasOf("call_sid", body["CallSid"]), ...aliasOf("call_sid", body["call_sid"])].slice(0, 1);
}

function heardOf(reason: string | null): Heard {
  if (reason === "busy") return { status: "ended", outcome: "busy" };
  if (reason === "no-answer" || reason === "no_answer") return { status: "ended", outcome: "no_answer" };
  return { status: "failed", outcome: "failed" };
}

function bodyOf(data: ElevenLabsMessage["data"]): ElevenLabsMessage["data"] {
  return objectAt(objectAt(data["metadata"])["body"]);
}
