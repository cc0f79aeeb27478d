import type { CallDirection, RecordingInfo } from "@aftercall/contract/call.ts";

import type { Facts } from "../provider.ts";
import { durationOf, moneyOf, numberOf, objectAt, objectOf, phoneOf, textOf, timeOf } from "../read.ts";
import { analysisOf } from "./analysis.ts";
import { costLinesOf } from "./costs.ts";
import { firstOf } from "./payload.ts";
import type { VapiMessage } from "./payload.ts";

/** What a message states about its call. Costs are dollars, times ISO 8601. */
export function factsOf(said: VapiMessage): Facts {
  const { message, call } = said;
  const { startedAt, endedAt } = timesOf(said);
  const analysis = objectAt(message["analysis"]);
  const assistant = objectAt(message["assistant"]);
  const customer = objectOf(message["customer"]) ?? objectAt(call["customer"]);
  return {
    ...partiesOf(said),
    started_at: startedAt,
    ended_at: endedAt,
    duration_ms:
      durationOf(message["durationMs"], "ms") ??
      durationOf(message["durationSeconds"], "s") ??
      (startedAt !== null && endedAt !== null ? durationOf(endedAt - startedAt, "ms") : null),
    ended_reason: endedReasonOf(said),
    cost: moneyOf(message["cost"] ?? call["cost"], "USD"),
    cost_lines: costLinesOf(said),
    recording: recordingOf(said),
    summary: textOf(analysis["summary"]) ?? textOf(message["summary"]),
    call_successful: textOf(analysis["successEvaluation"]),
    analysis: Object.keys(analysis).length > 0 ? analysis : null,
    provider_analysis: analysisOf(said),
    campaign: textOf(call["campaignId"]) ?? textOf(message["campaignId"]),
    agent_id: textOf(call["assistantId"]) ?? textOf(assistant["id"]),
    agent_name: textOf(assistant["name"]),
    customer_name: textOf(customer["name"]),
    lead_id: textOf(customer["externalId"]),
    transferred_to: transferOf(said),
    interruptions: interruptionsIn(said),
    metadata: objectOf(call["metadata"]) ?? objectOf(assistant["metadata"]),
  };
}

/** What a message suggests: the language it listened for, and what the analysis was asked to find. */
export function guessesOf({ message }: VapiMessage): Facts {
  const transcriber = objectAt(objectAt(message["assistant"])["transcriber"]);
  const found = objectAt(objectAt(message["analysis"])["structuredData"]);
  return {
    language: textOf(transcriber["language"]),
    city: textOf(found["city"]),
    service_category: textOf(found["service_category"]) ?? textOf(found["service"]),
  };
}

/** When the call began and ended, as far as Vapi says so; a call that was not answered has neither. */
export function timesOf(said: VapiMessage): { startedAt: number | null; endedAt: number | null } {
  return { startedAt: firstOf(said, "startedAt", timeOf), endedAt: firstOf(said, "endedAt", timeOf) };
}

export function endedReasonOf(said: VapiMessage): string | null {
  return firstOf(said, "endedReason", textOf);
}

/** Where the call was passed on to. */
export function transferOf({ message }: VapiMessage): string | null {
  const destination = objectAt(message["destination"]);
  return phoneOf(destination["number"]) ?? textOf(destination["sipUri"]);
}

/** Vapi counts who was interrupted; we count who did it. */
function interruptionsIn({ artifact }: VapiMessage): NonNullable<Facts["interruptions"]> | null {
  const metrics = objectAt(artifact["performanceMetrics"]);
  const [agent, customer] = [numberOf(metrics["numUserInterrupted"]), numberOf(metrics["numAssistantInterrupted"])];
  return agent === null || customer === null ? null : { agent, customer };
}

const directions: ReadonlyMap<unknown, CallDirection> = new Map([
  ["inboundPhoneCall", "inbound"],
  ["outboundPhoneCall", "outbound"],
  ["webCall", "web"],
]);

function partiesOf({ message, call }: VapiMessage): Facts {
  const direction = directions.get(call["type"]) ?? null;
  if (direction === null || direction === "web") return { direction };
  const customer = phoneOf(objectAt(message["customer"])["number"]) ?? phoneOf(objectAt(call["customer"])["number"]);
  const ours = phoneOf(objectAt(message["phoneNumber"])["number"]) ?? phoneOf(objectAt(call["phoneNumber"])["number"]);
  return direction === "inbound"
    ? { direction, from_number: customer, to_number: ours }
    : { direction, from_number: ours, to_number: customer };
}

/** The recording of both voices in one channel, else the stereo one. Presigned URLs are not kept: they expire. */
function recordingOf(said: VapiMessage): RecordingInfo | null {
  const recording = objectAt(said.artifact["recording"]);
  const mono = textOf(said.artifact["recordingUrl"]) ?? textOf(objectAt(recording["mono"])["combinedUrl"]);
  const url = mono ?? firstOf(said, "recordingUrl", textOf);
  if (url !== null) return { status: "available", url, duration_ms: null, channels: null };
  const stereo = firstOf(said, "stereoRecordingUrl", textOf) ?? textOf(recording["stereoUrl"]);
  return stereo === null ? null : { status: "available", url: stereo, duration_ms: null, channels: 2 };
}
