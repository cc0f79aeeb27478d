import { createHmac } from "node:crypto";

import { describe, expect, test } from "vitest";

import type { CallEvent, EventResult, ProviderRequest, Receipt, RouteKind } from "../provider.ts";
import { callEvent, MalformedBody } from "../provider.ts";
import { vapi } from "./index.ts";
import { outcomeOf } from "./outcome.ts";

const nowMs = Date.UTC(2026, 2, 2, 14, 30);
const secrets = [
  { slot: "secret", keyId: null, value: "next" },
  { slot: "secret", keyId: null, value: "s3cret" },
];

describe("credentials", () => {
  test("a good credential does not make up for a wrong one beside it", () => {
    const both = { "x-vapi-secret": "s3cret", "x-webhook-secret": "nope" };
    expect(verified(both)).toEqual({ ok: false, code: "bad_signature" });
    expect(verified({ ...both, "x-webhook-secret": "s3cret" }).ok).toBe(true);
    expect(verified({ "x-vapi-secret": "s3cret", authorization: "Bearer nope" }).ok).toBe(false);
  });

  test("a credential that is not configured does not count", () => {
    expect(verified({ authorization: "Bearer s3cret" }, { credentials: ["secret"] })).toEqual({
      ok: false,
      code: "missing_header",
    });
    expect(verified({ "x-vapi-secret": "s3cret" }, { credentials: ["hmac"] }).ok).toBe(false);
  });

  test("a bearer token in a header of its own, without a prefix", () => {
    const setup = { credentials: ["bearer"], bearer_header: "X-Token", bearer_prefix: "" };
    expect(verified({ "x-token": "s3cret" }, setup)).toEqual({ ok: true, scheme: "vapi-bearer" });
  });

  test("an HMAC is refused when it is old or not of the configured form, and an old one is good without a clock", () => {
    const setup = { credentials: ["hmac"], hmac: { signature_prefix: "v1=" } };
    expect(verified(signed(nowMs), setup)).toEqual({ ok: true, scheme: "vapi-hmac" });
    expect(verified(signed(nowMs - 300_001), setup)).toEqual({ ok: false, code: "timestamp_stale" });
    expect(verified(signed(nowMs - 300_001), setup, null).ok).toBe(true);
    expect(verified(signed(nowMs + 300_001), setup)).toEqual({ ok: false, code: "timestamp_future" });
    expect(verified({ ...signed(nowMs), "x-signature": "abc" }, setup)).toEqual({
      ok: false,
      code: "malformed_header",
    });
    const unstamped = { "x-signature": signed(nowMs)["x-signature"] };
    expect(verified(unstamped, setup)).toEqual({ ok: false, code: "missing_header" });
  });

  test("a plan that does not sign the body is refused as a setting", () => {
    expect(vapi.setup.safeParse({ hmac: { payload_format: "{timestamp}" } }).success).toBe(false);
  });
});

describe("messages", () => {
  test("call.ended is ended whatever the reason, and call.failed is failed", () => {
    const ended = read({ type: "call.ended", call: { id: "c1", endedReason: "assistant-error" } });
    expect(ended.heard).toEqual({ status: "ended", outcome: "failed" });
    expect(read({ type: "call.ended", call: { id: "c1" } }).heard).toEqual({ status: "ended", outcome: null });
    expect(read({ type: "call.failed", call: { id: "c1" } }).heard).toEqual({ status: "failed", outcome: "failed" });
  });

  test("the flat shape's own id is the event's identity; without it call and type are", () => {
    const first = read({ id: "evt_1", type: "call.ended", call: { id: "c1" } });
    expect(read({ id: "evt_2", type: "call.ended", call: { id: "c1" } }).key).not.toBe(first.key);
    expect(read({ type: "call.ended", call: { id: "c1" } }).key).toBe("call.ended:c1");
  });

  test.each([
    ["no type", { call: { id: "c1" } }],
    ["a type that is no text", { message: { type: { a: 1 } } }],
    ["a flat message without a call", { type: "call.ended" }],
    ["a call id beyond 255 bytes", { message: { type: "status-update", call: { id: "x".repeat(256) } } }],
  ])("malformed: %s", (_, json) => {
    expect(() => read(json)).toThrow(MalformedBody);
  });

  test("a canceled call has a status of its own", () => {
    const message = {
      type: "status-update",
      status: "ended",
      endedReason: "scheduled-call-deleted",
      call: { id: "c1" },
    };
    expect(read({ message }).heard).toEqual({ status: "canceled", outcome: "canceled" });
  });

  test("words of a status are read in any letter case", () => {
    const message = { type: "status-update", status: "IN-PROGRESS", call: { id: "c1" } };
    expect(read({ message }).heard?.status).toBe("in_progress");
  });

  test("a recording that could not be uploaded is known to be lost", () => {
    const artifacts = [{ type: "recording-stereo", success: false }];
    const message = { type: "call.artifact.upload", artifacts, call: { id: "c1" } };
    expect(read({ message }).guesses.recording?.status).toBe("failed");
  });

  test.each([
    ["customer-busy", "busy"],
    ["voicemail", "voicemail"],
    ["Customer-Ended-Call", "completed"],
    ["callee-did-not-answer-at-all", "no_answer"],
    ["pipeline-error-of-tomorrow", "failed"],
    ["something-new", "completed"],
    ["toString", "completed"],
  ])("%s is %s", (reason, outcome) => {
    expect(outcomeOf(reason, true)).toBe(outcome);
  });

  test("a call that never lasted did not complete for a reason nobody knows", () => {
    expect(outcomeOf("something-new", false)).toBe("failed");
  });
});

describe("answers", () => {
  const applied = { eventId: "evt_1", effect: "applied", call: null, training: null, problem: null } as const;

  test.each([
    ["given", 500],
    ["own", 503],
  ] as const)("%s route: our own failure is %i Error with a time to come again", (route, status) => {
    const expected = {
      status,
      body: "Error",
      contentType: "text/plain; charset=utf-8",
      headers: { "retry-after": "5" },
    };
    const broken: EventResult = { ...applied, event: callEvent({ key: "k", type: "hang" }), problem: "deadlock" };
    expect(answered({ kind: "stored", route, results: [broken] })).toEqual(expected);
    expect(answered({ kind: "unavailable", route, message: "no database" })).toEqual(expected);
  });

  test.each(["given", "own"] as const)("%s route: 200 OK, 401 Unauthorized, 400 Bad Request", (route: RouteKind) => {
    const event = callEvent({ key: "k", type: "some.future.event", isKnown: false });
    const texts = [
      answered({ kind: "stored", route, results: [{ ...applied, event, effect: "unmatched" }] }),
      answered({ kind: "unauthorized", route, code: "bad_signature" }),
      answered({ kind: "malformed", route, message: "The body is not valid JSON", field: null }),
    ].map(({ status, body: text }) => `${status} ${text}`);
    expect(texts).toEqual(["200 OK", "401 Unauthorized", "400 Bad Request"]);
  });

  test("a message that asks gets the configured answer, else an empty object", () => {
    const event = callEvent({ key: "k", type: "assistant-request" });
    const receipt: Receipt = { kind: "stored", route: "own", results: [{ ...applied, event }] };
    const setup = { answers: { "assistant-request": { assistantId: "a1" } } };
    expect(answered(receipt)).toMatchObject({ status: 200, body: "{}" });
    expect(answered(receipt, setup)).toMatchObject({ status: 200, body: '{"assistantId":"a1"}' });
  });
});

const body = Buffer.from('{"message":{"type":"hang"}}');

function signed(at: number): Readonly<Record<"x-timestamp" | "x-signature", string>> {
  const value = createHmac("sha256", "s3cret").update(`${at}.${body.toString()}`).digest("hex");
  return { "x-timestamp": String(at), "x-signature": `v1=${value}` };
}

function verified(headers: Readonly<Record<string, string>>, setup: object = {}, at: number | null = nowMs) {
  const request = requestOf(body, headers);
  return vapi.verify({ request, secrets, setup: vapi.setup.parse(setup), nowMs: at });
}

function read(json: unknown): CallEvent {
  const request = requestOf(Buffer.from(JSON.stringify(json)));
  const [event] = vapi.parse({ request, setup: vapi.setup.parse({}), receivedAtMs: nowMs });
  if (!event) throw new Error("no event");
  return event;
}

function answered(receipt: Receipt, setup: object = {}) {
  return vapi.answer(receipt, vapi.setup.parse(setup));
}

function requestOf(bytes: Buffer, headers: Readonly<Record<string, string>> = {}): ProviderRequest {
  const lists = Object.entries(headers).map(([name, value]) => [name, [value]] as const);
  return { method: "POST", url: "https://hooks.example.com/api/webhooks/vapi", headers: new Map(lists), body: bytes };
}
