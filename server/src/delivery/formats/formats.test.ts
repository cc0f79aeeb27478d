import { readFileSync } from "node:fs";

import type { Call, Transcript } from "@aftercall/contract/call.ts";
import { CallData, eventTypes } from "@aftercall/contract/events.ts";
import { expect, test } from "vitest";

import type { Fact } from "./format.ts";
import { renderFact } from "./index.ts";

type Row = Record<string, unknown>;

const fixture = (name: string): Row =>
  JSON.parse(readFileSync(new URL(`./fixtures/flat.${name}.json`, import.meta.url), "utf8")) as Row;
const { call: base } = CallData.parse(eventTypes["call.completed"].examples.he.data);

const keys = [
  "event_type",
  "timestamp",
  "business_id",
  "call_id",
  "lead_id",
  "phone",
  "customer_name",
  "direction",
  "city",
  "service_category",
  "started_at",
  "ended_at",
  "duration_sec",
  "transcript",
  "summary",
  "agent_name",
  "metadata",
];

const ids = { messageId: "msg_1", tenantId: "ten_1" };

function fact(changes: Partial<Call>, transcript: Transcript | null = null): Fact {
  const call = { ...base, ...changes };
  const occurredAtMs = Date.parse(call.ended_at ?? "2025-12-10T14:23:45Z");
  return { ...ids, type: "call.completed", occurredAtMs, businessId: "10", about: { kind: "call", call, transcript } };
}

const flatRow = (input: Fact): Row => JSON.parse(renderFact(input, "flat").toString("utf8")) as Row;

const inboundCall: Partial<Call> = {
  provider_call_id: "conv_1",
  aliases: [
    { kind: "conversation_id", value: "conv_1" },
    { kind: "call_sid", value: "CA9dd13ec4fcb895203d2162ca7e0297fc" },
  ],
  direction: "inbound",
  from: "+972501234567",
  to: "+97231234567",
  lead_id: "123",
  customer_name: null,
  city: "בית שאן",
  service_category: "שיווק נכס",
  started_at: "2025-12-10T14:23:19.000Z",
  ended_at: "2025-12-10T14:23:45.000Z",
  duration_ms: 26_000,
  agent_name: null,
  metadata: {},
};

test("an inbound call in the flat format is the given sample, key by key and in its order", () => {
  const sample = fixture("inbound");
  const row = flatRow(
    fact(
      { ...inboundCall, summary: String(sample["summary"]) },
      { text: String(sample["transcript"]), turns: [], language: "he" },
    ),
  );
  expect(row).toEqual(sample);
  expect(Object.keys(row)).toEqual(Object.keys(sample));
});

test("an outbound call in the flat format is the given sample and names the other party", () => {
  const sample = fixture("outbound");
  const row = flatRow(
    fact(
      {
        ...inboundCall,
        aliases: [{ kind: "call_sid", value: "CA00000000000000000000000000000002" }],
        direction: "outbound",
        from: "+97231234567",
        to: "+972501234567",
        lead_id: "124",
        customer_name: "דנה לוי",
        city: "תל אביב",
        service_category: "פריצת דלת",
        started_at: "2025-12-10T14:20:00.000Z",
        duration_ms: 225_999,
        summary: String(sample["summary"]),
      },
      { text: String(sample["transcript"]), turns: [], language: "he" },
    ),
  );
  expect(row).toEqual(sample);
  expect(Object.keys(row)).toEqual(keys);
});

test("Hebrew is written as UTF-8 and not escaped, in every format", () => {
  const input = fact(inboundCall, { text: "שלום, מדברת נועה.", turns: [], language: "he" });
  for (const form of ["flat", "standard", "cloudevents"] as const) {
    const text = renderFact(input, form).toString("utf8");
    expect(text).toContain("בית שאן");
    expect(text).toContain("שלום, מדברת נועה.");
    expect(text).not.toContain("\\u05");
  }
});

test("what is unknown is an empty string in the flat format, never null and never missing", () => {
  const unknown = {
    direction: null,
    from: null,
    to: null,
    lead_id: null,
    customer_name: null,
    city: null,
    service_category: null,
    started_at: null,
    ended_at: null,
    duration_ms: null,
    summary: null,
    agent_name: null,
    metadata: {},
    aliases: [],
    provider_call_id: "x1",
  };
  expect(flatRow(fact(unknown))).toEqual({
    event_type: "call.completed",
    timestamp: "2025-12-10T14:23:45Z",
    business_id: "10",
    call_id: "x1",
    lead_id: "",
    phone: "",
    customer_name: "",
    direction: "inbound",
    city: "",
    service_category: "",
    started_at: "",
    ended_at: "",
    duration_sec: 0,
    transcript: "",
    summary: "",
    agent_name: "Assistant",
    metadata: {},
  });
});

test("a web call is shown as inbound, and a missing duration is taken from its times", () => {
  const row = flatRow(fact({ ...inboundCall, direction: "web", duration_ms: null }));
  expect(row).toMatchObject({ direction: "inbound", phone: "+972501234567", duration_sec: 26 });
});

test("a message about a campaign keeps the seventeen keys", () => {
  const { campaign } = eventTypes["campaign.completed"].examples.he.data;
  const about: Fact["about"] = { kind: "campaign", campaign };
  const input: Fact = { ...ids, type: "campaign.completed", occurredAtMs: 0, businessId: "10", about };
  expect(Object.keys(flatRow(input))).toEqual(keys);
  expect(JSON.parse(renderFact(input, "standard").toString("utf8"))).toEqual({
    type: "campaign.completed",
    timestamp: "1970-01-01T00:00:00.000Z",
    data: { campaign },
  });
});

test("the standard format is the envelope of Standard Webhooks with the call as the API shows it", () => {
  const transcript = { text: "שלום", turns: [], language: "he" };
  const body: unknown = JSON.parse(renderFact(fact({}, transcript), "standard").toString("utf8"));
  expect(body).toEqual({ type: "call.completed", timestamp: base.ended_at, data: { call: base, transcript } });
});
