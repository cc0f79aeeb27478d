import type { Call, Transcript } from "@aftercall/contract/call.ts";
import type { EndpointPayload } from "@aftercall/contract/endpoint.ts";

import { dataOf } from "./data.ts";
import type { Fact, Format } from "./format.ts";

/**
 * One level of seventeen keys in a fixed order, for receivers that map fields by hand. What is unknown is an empty string,
 * never null and never missing; text of any language is written as it is. Thin: the ids, and the rest as if it were unknown.
 */
export const flat: Format = {
  contentType: "application/json",
  render: (fact, payload) => Buffer.from(JSON.stringify(rowOf(fact, payload))),
};

function rowOf(fact: Fact, payload: EndpointPayload) {
  const { type, occurredAtMs, businessId, about } = fact;
  const head = { event_type: type, timestamp: seconds(new Date(occurredAtMs).toISOString()), business_id: businessId };
  if (payload === "thin") {
    const callId = about.kind === "call" ? callSidOf(about.call) : "";
    return { ...head, ...noCall, call_id: callId, metadata: dataOf(fact, payload) };
  }
  if (about.kind === "call") return { ...head, ...callColumns(about.call, about.transcript) };
  return { ...head, ...noCall, metadata: dataOf(fact, payload) };
}

function callColumns(call: Call, transcript: Transcript | null) {
  const isOutbound = call.direction === "outbound";
  return {
    call_id: callSidOf(call),
    lead_id: call.lead_id ?? "",
    // The other party, never our own number.
    phone: (isOutbound ? call.to : call.from) ?? "",
    customer_name: call.customer_name ?? "",
    direction: isOutbound ? "outbound" : "inbound",
    city: call.city ?? "",
    service_category: call.service_category ?? "",
    started_at: seconds(call.started_at),
    ended_at: seconds(call.ended_at),
    duration_sec: Math.floor(durationMs(call) / 1000),
    transcript: transcript?.text ?? "",
    summary: call.summary ?? "",
    agent_name: call.agent_name ?? "Assistant",
    metadata: call.metadata,
  };
}

function callSidOf({ aliases, provider_call_id }: Call): string {
  return aliases.find(({ kind }) => kind === "call_sid")?.value ?? provider_call_id;
}

const noCall = {
  call_id: "",
  lead_id: "",
  phone: "",
  customer_name: "",
  direction: "",
  city: "",
  service_category: "",
  started_at: "",
  ended_at: "",
  duration_sec: 0,
  transcript: "",
  summary: "",
  agent_name: "",
};

function durationMs({ duration_ms, started_at, ended_at }: Call): number {
  if (duration_ms !== null) return duration_ms;
  return started_at !== null && ended_at !== null ? Math.max(Date.parse(ended_at) - Date.parse(started_at), 0) : 0;
}

/** `2025-12-10T14:23:45.678Z` → `2025-12-10T14:23:45Z`. */
function seconds(iso: string | null): string {
  return iso === null ? "" : `${iso.slice(0, 19)}Z`;
}
