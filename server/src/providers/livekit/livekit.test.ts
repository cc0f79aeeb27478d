import { readFileSync } from "node:fs";
import { join } from "node:path";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { CallEvent, EventResult, Receipt } from "../provider.ts";
import { livekit } from "./index.ts";
import { normalizedEvent } from "./normalized-event.ts";
import { outcomeOf } from "./outcome.ts";
import { phoneInRoomName } from "./room-name.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "fixtures", name));

function parsed(body: unknown, setup: object = {}): CallEvent {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const request = { method: "POST", url: "https://hooks.example.com/x", headers: new Map(), body: bytes };
  const [event] = livekit.parse({ request, setup: livekit.setup.parse(setup), receivedAtMs: 0 });
  if (!event) throw new Error("no event");
  return event;
}

/** A `participant_left` in LiveKit's own units, `seconds` after the room was made. */
function left(seconds: number, participant: Record<string, unknown> = {}) {
  return {
    id: "EV_1",
    event: "participant_left",
    createdAt: String(1761751800 + seconds),
    room: { sid: "RM_1", name: "r", creationTime: "1761751800", creationTimeMs: "1761751800900" },
    participant: { identity: "sip_1", kind: "SIP", ...participant },
  };
}

describe("outcome", () => {
  test.each([
    ["USER_REJECTED", 45, "busy"],
    ["USER_UNAVAILABLE", 32, "no_answer"],
    ["SIP_TRUNK_FAILURE", 45, "failed"],
    ["JOIN_FAILURE", 45, "failed"],
    ["MEDIA_FAILURE", 45, "failed"],
    ["AGENT_ERROR", 45, "failed"],
    ["user_rejected", 45, "busy"],
    ["Line is Busy", 1, "busy"],
    ["some ERROR", 45, "failed"],
    [null, 0, "failed"],
    [null, 2.999, "failed"],
    [null, 3, "no_answer"],
    [null, 9.999, "no_answer"],
    [null, 10, "completed"],
    ["CLIENT_INITIATED", 45.123, "completed"],
    ["ROOM_DELETED", 2, "failed"],
    ["CLIENT_INITIATED", null, "completed"],
  ] as const)("%s after %s s is %s", (reason, seconds, outcome) => {
    expect(outcomeOf(reason, seconds === null ? null : seconds * 1000)).toBe(outcome);
  });

  test("a failed call has the status failed, a busy one has ended", () => {
    expect(parsed(left(2)).heard).toEqual({ status: "failed", outcome: "failed" });
    expect(parsed(left(2, { disconnectReason: "USER_REJECTED" })).heard).toEqual({ status: "ended", outcome: "busy" });
  });
});

describe("whose leave ends the call", () => {
  test("the SIP caller's, with the most weight", () => {
    expect(parsed(left(45))).toMatchObject({ weight: 5, heard: { status: "ended" }, facts: { duration_ms: 45_000 } });
  });

  test("an agent's only while no SIP caller was seen", () => {
    const event = parsed(left(45, { identity: "agent", kind: "AGENT" }));
    expect(event).toMatchObject({ weight: 1, heard: { status: "ended", unless: "has_sip_participant" } });
    expect(event.facts.has_sip_participant).toBeUndefined();
  });

  test.each([
    { identity: "EG_recorder1", kind: "EGRESS" },
    { identity: "EG_recorder1", kind: undefined },
  ])("not the recorder's (%o)", (recorder) => {
    expect(parsed(left(45, recorder))).toMatchObject({ heard: null, isProcessable: true });
  });

  test.each(["DUPLICATE_IDENTITY", "MIGRATION"])("not that of somebody who comes back (%s)", (disconnectReason) => {
    const event = parsed(left(45, { disconnectReason }));
    expect(event.heard).toBeNull();
    expect(event.facts.ended_at).toBeUndefined();
  });

  test("an egress ends it only where the room's time is told: a recording may stop in the middle of a call", () => {
    expect(parsed(fixture("given/egress_ended.json")).heard).toEqual({ status: "ended", outcome: "completed" });
    expect(parsed(fixture("real/egress_ended.complete.json")).heard).toBeNull();
  });

  test("room_finished weighs less than the caller and more than the agent", () => {
    expect(parsed(fixture("real/room_finished.json")).weight).toBe(2);
  });
});

describe("times", () => {
  test("an event in whole seconds is measured from the room's whole second: 45, not 44", () => {
    expect(parsed(left(45)).facts).toMatchObject({ duration_ms: 45_000, started_at: 1761751800_000 });
  });

  test("an event with milliseconds is measured from the room's milliseconds", () => {
    const event = parsed({ ...left(45), createdAt: "2025-10-29T15:30:45.123Z" });
    expect(event.facts.duration_ms).toBe(44_223);
  });

  test("a clock behind the room's gives no negative length", () => {
    expect(parsed(left(-5)).facts.duration_ms).toBe(0);
  });

  test("the length of a recording is nanoseconds on LiveKit's wire and milliseconds in the Call Outcomes API", () => {
    expect(parsed(fixture("real/egress_ended.complete.json")).facts.recording?.duration_ms).toBe(40_123);
    expect(parsed(fixture("given/egress_ended.json")).facts.recording?.duration_ms).toBe(40_123);
  });

  test.each([
    ["2025-10-29T15:30:45.123Z", 1761751845123],
    ["1761751845", 1761751845000],
    [1761751845, 1761751845000],
    ["1761751845123", 1761751845123],
    ["1761751845123456", 1761751845123],
    ["1761751845123456789", 1761751845123],
  ])("createdAt %s", (createdAt, ms) => {
    expect(parsed({ ...left(0), createdAt }).occurredAt).toBe(ms);
  });
});

describe("who, and which campaign", () => {
  test.each([
    ["sip-7678189426__1730217045__abc123", "+17678189426"],
    ["sip-972501234567__1730217045__abc123", "+972501234567"],
    ["sip-123456789__1730217045__abc123", null],
    ["sip-1234567890123456__1730217045__abc123", null],
    ["room-7678189426__1730217045__abc123", null],
    ["sip-+17678189426__1730217045__abc123", null],
    ["sip-7678189426", null],
  ])("room %s is called by %s", (name, phone) => {
    expect(phoneInRoomName(name, "1")).toBe(phone);
  });

  test("what the SIP participant says is stated, what the room is called is a guess", () => {
    const attributes = {
      "sip.phoneNumber": "+15550001111",
      "sip.trunkPhoneNumber": "+15551230000",
      "sip.trunkID": "ST_1",
    };
    const outbound = parsed({
      ...left(45, { attributes }),
      room: { sid: "RM_1", name: "sip-7678189426__1__a", creationTime: "1761751800" },
    });
    expect(outbound.facts).toMatchObject({
      direction: "outbound",
      from_number: "+15551230000",
      to_number: "+15550001111",
    });
    expect(outbound.guesses).toEqual({ direction: "inbound", from_number: "+17678189426" });
  });

  test.each([
    ["room metadata first", { metadata: '{"campaign_id":"room"}' }, { campaign_id: "attribute" }, "room"],
    [
      "then the attribute",
      { metadata: "not json" },
      { campaign_id: "attribute", "sip.h.x-campaign-id": "header" },
      "attribute",
    ],
    ["then the SIP header", {}, { "sip.h.X-Campaign-ID": "header" }, "header"],
    ["else none", { metadata: "" }, {}, undefined],
  ])("campaign: %s", (_, room, attributes, campaign) => {
    const body = left(45, { attributes });
    expect(parsed({ ...body, room: { ...body.room, ...room } }).facts.campaign).toBe(campaign);
  });

  test("a name that is no id hides none of the others", () => {
    const attributes = { "sip.callID": "SCL_1", "sip.callIDFull": "x".repeat(300), "sip.twilio.callSid": "CA1" };
    expect(parsed(left(45, { attributes })).aliases).toEqual([
      { kind: "room_sid", value: "RM_1" },
      { kind: "sip_participant", value: "SCL_1" },
      { kind: "call_sid", value: "CA1" },
    ]);
  });
});

describe("required fields are named as the Call Outcomes API names them", () => {
  test.each([
    [{ id: undefined }, "event_id"],
    [{ id: "" }, "event_id"],
    [{ event: undefined }, "event_type"],
    [{ createdAt: undefined }, "event_created_at"],
    [{ createdAt: "yesterday" }, "event_created_at"],
    [{ room: { sid: "RM_1" } }, "room_name"],
    [{ room: { name: "r" } }, "room_sid"],
    [{ room: undefined }, "room_name"],
  ])("%o: %s", (change, field) => {
    expect(() => parsed({ ...left(45), ...change })).toThrow(expect.objectContaining({ field }));
  });

  test("an egress may name the room itself, and an event that is ignored needs none", () => {
    const egress = {
      ...left(45),
      event: "egress_ended",
      room: undefined,
      egressInfo: { roomId: "RM_2", roomName: "r" },
    };
    expect(parsed(egress).aliases[0]).toEqual({ kind: "room_sid", value: "RM_2" });
    expect(parsed({ id: "EV_2", event: "ingress_started" })).toMatchObject({ aliases: [], isProcessable: false });
  });
});

test("the same event in Go's random spacing has the same key", () => {
  const [spaced, dense] = ["go-whitespace", "sip-caller-hangup"].map((n) =>
    fixture(`real/participant_left.${n}.raw.txt`),
  );
  expect(spaced).not.toEqual(dense);
  expect(parsed(spaced)).toEqual(parsed(dense));
});

test("a pending or failed recording is only suggested: it hides none that is there", () => {
  for (const name of ["egress_started", "egress_updated", "egress_ended.failed", "egress_ended.aborted"]) {
    const event = parsed(fixture(`real/${name}.json`));
    expect([event.facts.recording, event.guesses.recording?.url]).toEqual([undefined, null]);
  }
});

describe("normalised event", () => {
  test("participant_left of the Call Outcomes API gives its documented sample, byte for byte", () => {
    const made = normalizedEvent({ body: fixture("given/participant_left.json") });
    const sample = fixture("given/expected.normalized-event.json").toString();
    expect(JSON.stringify(made, null, 2)).toBe(sample.trim());
  });

  test("what opens a room is not shown", () => {
    const made = normalizedEvent({ body: fixture("real/room_finished.json") });
    expect(JSON.stringify(made)).not.toContain("REDACT-ME");
    expect(made.raw_payload).toMatchObject({ room: { turnPassword: "[redacted]" } });
  });
});

describe("answers of the Call Outcomes API", () => {
  const event = parsed(fixture("given/participant_left.json"));
  const ended = { id: "call_log_123", status: "ended", outcome: "completed", aliases: [] } as const;
  const result = (change: Partial<EventResult> = {}): EventResult => ({
    event,
    eventId: "e",
    effect: "applied",
    call: ended,
    training: null,
    problem: null,
    ...change,
  });
  const answered = (receipt: Receipt) => {
    const { status, body } = livekit.answer(receipt, livekit.setup.parse({}));
    return `${status} ${body}`;
  };
  const stored = (change: Partial<EventResult> = {}) =>
    answered({ kind: "stored", route: "given", results: [result(change)] });

  test("200: processed, with the outcome and the call", () => {
    expect(stored()).toBe(
      '200 {"status":"processed","message":"Event processed successfully. Outcome: completed","event_id":"evt_abc123def456","call_id":"call_log_123"}',
    );
  });

  test.each([
    ["voicemail", "no_answer"],
    ["transferred", "completed"],
    ["canceled", "failed"],
    [null, "pending"],
  ] as const)("200: the outcome %s is %s in the API's words", (outcome, word) => {
    expect(stored({ call: { ...ended, outcome } })).toContain(`Outcome: ${word}"`);
  });

  test("200: a repeat has no call_id", () => {
    expect(stored({ effect: "repeat" })).toBe(
      '200 {"status":"processed","message":"Event already processed (idempotency)","event_id":"evt_abc123def456"}',
    );
  });

  test("200: other events are ignored, also when they come again", () => {
    const other = parsed(fixture("given/track_published.ignored.json"));
    const body =
      '200 {"status":"ignored","message":"Event type \'track_published\' is not processable","event_type":"track_published"}';
    expect(stored({ event: other })).toBe(body);
    expect(stored({ event: other, effect: "repeat" })).toBe(body);
  });

  test("401, 400, 500: the documented bodies", () => {
    expect(answered({ kind: "unauthorized", route: "given", code: "bad_signature" })).toBe(
      '401 {"error":"Invalid webhook signature","status":401}',
    );
    const message = "Missing required field: event_id";
    expect(answered({ kind: "malformed", route: "given", message, field: "event_id" })).toBe(
      '400 {"error":"Invalid webhook payload","details":"Missing required field: event_id","status":400}',
    );
    expect(answered({ kind: "unavailable", route: "given", message: "Database connection failed" })).toBe(
      '500 {"error":"Failed to process webhook event","message":"Database connection failed","status":500}',
    );
    expect(stored({ problem: "boom" })).not.toContain("boom");
  });
});

describe("a session report", () => {
  const report = JSON.parse(fixture("real/session_report.json").toString()) as Record<string, unknown>;

  test("says the same in the camel case of the Node SDK, with times in milliseconds", () => {
    const camel = (value: unknown, name = ""): unknown => {
      if (Array.isArray(value)) return value.map((one) => camel(one));
      if (typeof value === "number" && name.endsWith("_at")) return Math.round(value * 1000);
      if (typeof value !== "object" || value === null) return value;
      const entries = Object.entries(value).map(([key, inner]) => [
        key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
        camel(inner, key),
      ]);
      return Object.fromEntries(entries);
    };
    const { chat_history: history, ...rest } = report;
    const again = parsed({ ...rest, chat_history: camel(history) });
    expect([again.transcript, again.moments]).toEqual([parsed(report).transcript, parsed(report).moments]);
  });

  test("tells when the agent was cut short, and how sure the words of the caller are", () => {
    const turns = parsed(report).transcript?.turns ?? [];
    expect(turns.map(({ interrupted, confidence }) => [interrupted, confidence])).toEqual([
      [false, undefined],
      [false, 0.91],
      [true, undefined],
    ]);
  });

  test("names its room and its job, or is malformed", () => {
    for (const name of ["room_id", "job_id"]) expect(() => parsed({ ...report, [name]: null })).toThrow(name);
  });

  test("is waited for where the source says that it comes, and only when a call is over", () => {
    const waits = { expects_session_report: true };
    expect(parsed(left(45), waits).awaitsReport).toBe(true);
    expect(parsed(left(45)).awaitsReport).toBe(false);
    expect(parsed({ ...left(0), event: "room_started" }, waits).awaitsReport).toBe(false);
    expect(parsed(report, waits)).toMatchObject({ isReport: true, awaitsReport: false });
  });
});

test("any length and reason gives an outcome, and never a completed call under ten seconds", () => {
  fc.assert(
    fc.property(fc.option(fc.string()), fc.integer({ min: 0, max: 9_999 }), (reason, ms) => {
      expect(["busy", "failed", "no_answer"]).toContain(outcomeOf(reason, ms));
    }),
  );
});
