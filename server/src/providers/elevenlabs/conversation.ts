import type { CallDirection, CallOutcome } from "@aftercall/contract/call.ts";

import type { Alias, CallEvent, Facts, Heard } from "../provider.ts";
import {
  aliasOf,
  durationOf,
  moneyOf,
  numberOf,
  objectAt,
  objectOf,
  phoneOf,
  textOf,
  timeOf,
  wordOf,
} from "../read.ts";
import { analysisOf } from "./analysis.ts";
import { costLinesOf } from "./costs.ts";
import { conversationMoments } from "./moments.ts";
import type { ElevenLabsMessage } from "./payload.ts";
import { conversationText } from "./transcript.ts";

/**
 * `post_call_transcription`: the conversation as their API returns it. The call ended at its start plus its length; the
 * time of sending comes after their own post-processing and counts only where those are missing.
 */
export function conversationContent(message: ElevenLabsMessage): Partial<CallEvent> {
  const { data } = message;
  return {
    heard: heardOf(message),
    ...statedBy(message),
    transcript: conversationText(data),
    moments: conversationMoments(data),
    isReport: true,
    echo: data["transcript"] === undefined ? { transcript: "excluded" } : {},
  };
}

/** Other names of the call: the carrier's CallSid, and the SIP call. */
export function conversationAliases({ data }: ElevenLabsMessage): readonly Alias[] {
  const phone = objectOf(objectAt(data["metadata"])["phone_call"]);
  if (!phone) return [];
  const sid = aliasOf("call_sid", phone["call_sid"]);
  const sipId = textOf(phone["call_id"]) ?? "";
  return [
    // The variable is also left over from other calls, so it counts only for a phone call that has no id of its own.
    ...(sid.length > 0 ? sid : aliasOf("call_sid", variablesOf(data)["system__call_sid"])),
    ...aliasOf(sipId.startsWith("SCL_") ? "sip_participant" : "sip_call_id", phone["call_id"]),
  ];
}

const results: ReadonlyMap<string, CallOutcome> = new Map([
  ["voicemail", "voicemail"],
  ["busy", "busy"],
  ["no_answer", "no_answer"],
  ["no-answer", "no_answer"],
  ["failed", "failed"],
]);

/** `call_result` says how the phone call went; `answered` says only that somebody picked up, so a failed conversation stays failed. */
function heardOf({ data }: ElevenLabsMessage): Heard {
  const phone = objectAt(objectAt(data["metadata"])["phone_call"]);
  const result = results.get(wordOf(phone["call_result"]) ?? "");
  const outcome = result ?? (wordOf(data["status"]) === "failed" ? "failed" : "completed");
  return { status: outcome === "failed" ? "failed" : "ended", outcome };
}

function statedBy({ at, data }: ElevenLabsMessage): Pick<CallEvent, "facts" | "guesses"> {
  const metadata = objectAt(data["metadata"]);
  const analysis = objectOf(data["analysis"]);
  const variables = variablesOf(data);
  const startedAt = timeOf(metadata["start_time_unix_secs"]);
  const lasted = durationOf(metadata["call_duration_secs"], "s");
  const endedAt = startedAt !== null && lasted !== null ? startedAt + lasted : null;
  const error = objectAt(metadata["error"]);
  const language = textOf(metadata["main_language"]);
  const collected = objectAt(analysis?.["data_collection_results"]);
  return {
    facts: {
      ...partiesOf(metadata["phone_call"]),
      started_at: startedAt,
      answered_at: timeOf(metadata["accepted_time_unix_secs"]),
      ended_at: endedAt,
      duration_ms: lasted,
      ended_reason: textOf(metadata["termination_reason"]),
      failure_reason: textOf(error["reason"]),
      cost: moneyOf(metadata["cost_fiat"], "USD"),
      cost_credits: numberOf(metadata["cost"]),
      cost_lines: costLinesOf(metadata),
      summary: textOf(analysis?.["transcript_summary"]),
      call_successful: wordOf(analysis?.["call_successful"]),
      analysis,
      provider_analysis: analysisOf(analysis, language),
      provider_metadata: objectOf(data["metadata"]),
      language,
      agent_id: textOf(data["agent_id"]),
      agent_name: textOf(data["agent_name"]),
      campaign: textOf(variables["campaign_id"]) ?? textOf(objectAt(metadata["batch_call"])["batch_call_id"]),
      lead_id: textOf(variables["lead_id"]),
      customer_name: textOf(variables["customer_name"]),
    },
    guesses: {
      ...(!objectOf(metadata["phone_call"]) && { direction: "web" }),
      ...(endedAt === null && { ended_at: at }),
      city: textOf(objectAt(collected["city"])["value"]),
      service_category: textOf(objectAt(collected["service_category"])["value"]),
    },
  };
}

function partiesOf(phoneCall: unknown): Facts {
  const phone = objectAt(phoneCall);
  const direction = directions.get(wordOf(phone["direction"]) ?? "");
  if (!direction) return {};
  const [ours, other] = [phoneOf(phone["agent_number"]), phoneOf(phone["external_number"])];
  return direction === "inbound"
    ? { direction, from_number: other, to_number: ours }
    : { direction, from_number: ours, to_number: other };
}

const directions: ReadonlyMap<string, CallDirection> = new Map([
  ["inbound", "inbound"],
  ["outbound", "outbound"],
]);

function variablesOf(data: ElevenLabsMessage["data"]): ElevenLabsMessage["data"] {
  return objectAt(objectAt(data["conversation_initiation_client_data"])["dynamic_variables"]);
}
