import { describe, expect, test } from "vitest";

import type { CallEvent, CallView, EventResult, Receipt, RouteKind } from "../provider.ts";
import { MalformedBody } from "../provider.ts";
import { elevenlabs } from "./index.ts";

const setup = elevenlabs.setup.parse({});
const data = { conversation_id: "conv_1", agent_id: "agent_1", status: "done" };
const call: CallView = {
  id: "call_1",
  status: "ended",
  outcome: "completed",
  aliases: [
    { kind: "conversation_id", value: "conv_1" },
    { kind: "call_sid", value: "CA1" },
  ],
};

describe("a conversation", () => {
  test("ends at its start plus its length, and only without these when the webhook was sent", () => {
    const metadata = { start_time_unix_secs: 1763726350, call_duration_secs: 45 };
    expect(read("post_call_transcription", { ...data, metadata }).facts.ended_at).toBe(1763726395_000);
    const without = read("post_call_transcription", data);
    expect([without.facts.ended_at, without.guesses.ended_at]).toEqual([null, 1763726400_000]);
  });

  test.each([
    ["voicemail", "done", "ended", "voicemail"],
    ["busy", "failed", "ended", "busy"],
    ["no_answer", "done", "ended", "no_answer"],
    ["failed", "done", "failed", "failed"],
    ["answered", "done", "ended", "completed"],
    ["answered", "failed", "failed", "failed"],
    [null, "failed", "failed", "failed"],
    [null, "processing", "ended", "completed"],
  ])("call_result %s and status %s: %s, %s", (call_result, status, heard, outcome) => {
    const metadata = { phone_call: { direction: "outbound", call_result } };
    expect(read("post_call_transcription", { ...data, status, metadata }).heard).toEqual({ status: heard, outcome });
  });

  test("a left-over system__call_sid merges nothing unless it is a phone call without an id of its own", () => {
    const client = { dynamic_variables: { system__call_sid: "CA9" } };
    const named = (phone_call: unknown) => {
      const given = { ...data, metadata: { phone_call }, conversation_initiation_client_data: client };
      return read("post_call_transcription", given).aliases.flatMap(({ kind, value }) =>
        kind === "call_sid" ? value : [],
      );
    };
    expect(named(null)).toEqual([]);
    expect(named({ type: "sip_trunking", call_sid: "d8e7" })).toEqual(["d8e7"]);
    expect(named({ type: "twilio" })).toEqual(["CA9"]);
  });

  test("an excluded transcript is not an empty one", () => {
    expect(read("post_call_transcription", data).echo).toEqual({ transcript: "excluded" });
    expect(read("post_call_transcription", { ...data, transcript: [] }).echo).toEqual({});
  });
});

describe("malformed", () => {
  test.each([
    ["no type", { data }, "type"],
    ["no data", { type: "post_call_audio" }, "data"],
    ["no conversation", { type: "post_call_transcription", data: {} }, "conversation_id"],
    [
      "a conversation id that is none",
      { type: "post_call_transcription", data: { conversation_id: {} } },
      "conversation_id",
    ],
  ])("%s names the field", (_, json, field) => {
    expect(() => parsed(json)).toThrow(expect.objectContaining({ name: MalformedBody.name, field }));
  });
});

describe("answers", () => {
  const known = read("post_call_transcription", data);

  test.each(["given", "own"] as const)(
    "200 on the %s route: conversation, CallSid and status, also for a repeat",
    (route) => {
      const body = '{"conversation_id":"conv_1","call_sid":"CA1","call_status":"COMPLETED"}';
      for (const effect of ["applied", "repeat"] as const) {
        expect(answered({ event: known, effect, call }, route)).toMatchObject({ status: 200, body });
      }
    },
  );

  test("200: call_sid is null for a web call", () => {
    const web = { ...call, aliases: call.aliases.slice(0, 1) };
    expect(answered({ event: known, effect: "applied", call: web }, "own").body).toContain('"call_sid":null');
  });

  test.each([
    ["queued", null, "PENDING"],
    ["ringing", null, "PENDING"],
    ["in_progress", null, "IN_PROGRESS"],
    ["ended", "completed", "COMPLETED"],
    ["ended", "voicemail", "COMPLETED"],
    ["ended", "transferred", "COMPLETED"],
    ["ended", "busy", "FAILED"],
    ["ended", "no_answer", "FAILED"],
    ["failed", "failed", "FAILED"],
    ["canceled", "canceled", "FAILED"],
    ["timeout", null, "FAILED"],
  ] as const)("200: %s with outcome %s is %s", (status, outcome, word) => {
    const answer = answered({ event: known, effect: "applied", call: { ...call, status, outcome } }, "own");
    expect(JSON.parse(answer.body)).toMatchObject({ call_status: word });
  });

  test("404 on the given route names the conversation, for a repeat too", () => {
    const body = '{"detail":"Call not found for conversation_id: conv_1"}';
    expect(answered({ event: known, effect: "unmatched", call: null }, "given")).toMatchObject({ status: 404, body });
    expect(answered({ event: known, effect: "repeat", call: null }, "given")).toMatchObject({ status: 404, body });
  });

  test("400 on the given route for a type nobody knows, 200 on the source's own URL", () => {
    const event = read("something_else", data);
    expect(answered({ event, effect: "unmatched", call: null }, "given")).toMatchObject({
      status: 400,
      body: '{"detail":"Unknown event type: something_else"}',
    });
    expect(answered({ event, effect: "recorded", call: null }, "own").status).toBe(200);
  });

  test("200 for events of the workspace, on both routes", () => {
    const event = read("voice_removed", { voice_id: "v1" });
    for (const route of ["given", "own"] as const) {
      expect(answered({ event, effect: "recorded", call: null }, route).status).toBe(200);
    }
  });

  test("400, 401 and 500 say what they say in the given system", () => {
    const receipts: Receipt[] = [
      {
        kind: "malformed",
        route: "given",
        message: "Missing required field: conversation_id",
        field: "conversation_id",
      },
      { kind: "unauthorized", route: "given", code: "timestamp_stale" },
      { kind: "unavailable", route: "given", message: "no database" },
    ];
    expect(
      receipts.map((receipt) => elevenlabs.answer(receipt, setup)).map(({ status, body }) => `${status} ${body}`),
    ).toEqual([
      '400 {"detail":"Missing required field: conversation_id"}',
      '401 {"detail":"Unauthorized"}',
      '500 {"detail":"Internal server error"}',
    ]);
  });

  test("500 on the given route and 503 on its own URL when applying failed, never 200", () => {
    const result = { event: known, effect: "recorded", call: null, problem: "reducer threw" } as const;
    expect(answered(result, "given").status).toBe(500);
    expect(answered(result, "own")).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
  });
});

function read(type: string, content: object): CallEvent {
  const [event] = parsed({ type, event_timestamp: 1763726400, data: content });
  if (!event) throw new Error("no event");
  return event;
}

function parsed(json: unknown): CallEvent[] {
  const body = Buffer.from(JSON.stringify(json));
  const request = { method: "POST", url: "https://hooks.example.com/x", headers: new Map(), body };
  return elevenlabs.parse({ request, setup, receivedAtMs: 0 });
}

function answered(result: Pick<EventResult, "event" | "effect" | "call"> & Partial<EventResult>, route: RouteKind) {
  const results = [{ eventId: "evt_1", training: null, problem: null, ...result }];
  return elevenlabs.answer({ kind: "stored", route, results }, setup);
}
