import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import type { CallEvent, Receipt } from "../provider.ts";
import { twilio } from "./index.ts";
import { signedUrls } from "./url.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "fixtures/real", name));
const parent = "CA9dd13ec4fcb895203d2162ca7e0297fc";

function parse(
  body: Buffer | string,
  type = "application/x-www-form-urlencoded",
  method = "POST",
  url = "https://x/y",
) {
  const headers = new Map([["content-type", [type]]]);
  const request = { method, url, headers, body: Buffer.from(body) };
  return twilio.parse({ request, setup: twilio.setup.parse({}), receivedAtMs: 0 });
}

function parsed(fields: Record<string, string>): CallEvent {
  const [event] = parse(new URLSearchParams({ CallSid: "CA1", ...fields }).toString());
  if (!event) throw new Error("no event");
  return event;
}

const at = "Wed, 10 Dec 2025 14:23:45 +0000";

describe("status callbacks", () => {
  test.each([
    ["queued", "queued", null],
    ["initiated", "queued", null],
    ["ringing", "ringing", null],
    ["in-progress", "in_progress", null],
    ["completed", "ended", "completed"],
    ["busy", "ended", "busy"],
    ["no-answer", "ended", "no_answer"],
    ["failed", "failed", "failed"],
    ["canceled", "canceled", "canceled"],
    ["Completed", "ended", "completed"],
  ])("CallStatus %s: %s, %s", (CallStatus, status, outcome) => {
    expect(parsed({ CallStatus }).heard).toEqual({ status, outcome });
  });

  test("a status that nobody knows is kept and changes nothing", () => {
    expect(parsed({ CallStatus: "teleported" })).toMatchObject({ heard: null, isKnown: false, isProcessable: false });
  });

  test("CallDuration is seconds; Duration, the minutes billed, is not read", () => {
    const { facts } = parsed({ CallStatus: "completed", Timestamp: at, CallDuration: "49", Duration: "1" });
    expect(facts).toMatchObject({
      duration_ms: 49_000,
      ended_at: Date.UTC(2025, 11, 10, 14, 23, 45),
      started_at: Date.UTC(2025, 11, 10, 14, 22, 56),
    });
    expect(parsed({ CallStatus: "completed", Timestamp: at, Duration: "1" }).facts.duration_ms).toBeUndefined();
  });

  test("without a Timestamp neither start nor end is made up", () => {
    const { facts, occurredAt } = parsed({ CallStatus: "completed", CallDuration: "49" });
    expect([facts.started_at, facts.ended_at, occurredAt]).toEqual([undefined, undefined, null]);
  });

  test.each([
    ["machine_start", "ended", "voicemail"],
    ["machine_end_beep", "ended", "voicemail"],
    ["fax", "failed", "failed"],
    ["human", "ended", "completed"],
    ["unknown", "ended", "completed"],
  ])("a completed call answered by %s is %s, %s", (AnsweredBy, status, outcome) => {
    const event = parsed({ CallStatus: "completed", AnsweredBy });
    expect(event.heard).toEqual({ status, outcome });
    expect(event.facts.answered_by).toBe(AnsweredBy);
  });

  test("a busy call stays busy, whoever is said to have answered", () => {
    expect(parsed({ CallStatus: "busy", AnsweredBy: "machine_start" }).heard?.outcome).toBe("busy");
  });

  test.each(["outbound-api", "outbound-dial"])("Direction %s is outbound", (Direction) => {
    expect(parsed({ CallStatus: "ringing", Direction }).facts.direction).toBe("outbound");
  });

  test("numbers that are none are left out: SIP names, clients, anonymous callers", () => {
    for (const From of ["client:alice", "sip:bob@example.com", "anonymous", ""]) {
      expect(parsed({ CallStatus: "ringing", From }).facts.from_number).toBeUndefined();
    }
  });

  test("a leg with a parent is another name of the parent's call, without a status or times of its own", () => {
    const [event] = parse(fixture("status.child-leg-completed.txt"));
    expect(event).toMatchObject({
      aliases: [
        { kind: "call_sid", value: parent },
        { kind: "call_sid", value: "CA1b7d5726533ab525a8760351e9b5e415" },
      ],
      heard: null,
      facts: {},
      guesses: {},
    });
  });

  test("equal steps of a call have equal keys, different ones different keys", () => {
    const key = (fields: Record<string, string>) => parsed({ CallStatus: "ringing", ...fields }).key;
    expect(key({ SequenceNumber: "1", Extra: "x" })).toBe(key({ SequenceNumber: "1" }));
    expect(key({ SequenceNumber: "1" })).not.toBe(key({ SequenceNumber: "2" }));
    expect(key({ SequenceNumber: "1", CallStatus: "busy" })).not.toBe(key({ SequenceNumber: "1" }));
  });
});

describe("recordings", () => {
  const url = "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1";
  const recorded = (fields: Record<string, string>) => parsed({ RecordingSid: "RE1", RecordingUrl: url, ...fields });

  test("the URL gets the extension that Twilio leaves out, once", () => {
    const event = recorded({ RecordingStatus: "completed", RecordingDuration: "20", RecordingChannels: "2" });
    expect(event.facts.recording).toEqual({ status: "available", url: `${url}.wav`, duration_ms: 20_000, channels: 2 });
    const mp3 = recorded({ RecordingStatus: "completed", RecordingUrl: `${url}.mp3` });
    expect(mp3.facts.recording?.url).toBe(`${url}.mp3`);
  });

  test.each([
    ["in-progress", "pending"],
    ["absent", "absent"],
    ["failed", "failed"],
  ])("RecordingStatus %s: %s, without an address, and only suggested", (RecordingStatus, status) => {
    const event = recorded({ RecordingStatus });
    expect(event.facts.recording).toBeUndefined();
    expect(event.guesses.recording).toMatchObject({ status, url: null });
  });

  test("one that is still running gives way to one that is absent, in whichever order they arrive", () => {
    expect(recorded({ RecordingStatus: "in-progress" }).weight).toBeLessThan(
      recorded({ RecordingStatus: "absent" }).weight,
    );
  });
});

describe("shapes", () => {
  test("Event Streams: one body, several events, each with its own key", () => {
    const one: unknown[] = JSON.parse(fixture("events-stream.recording.json").toString());
    const [first] = one as Record<string, unknown>[];
    const second = { ...first, id: "EZ2", data: { request: { parameters: { CallSid: "CA2", CallStatus: "busy" } } } };
    const third = { ...first, id: "EZ3", type: "com.twilio.messaging.message.sent", data: { messageSid: "SM1" } };
    const events = parse(JSON.stringify([first, second, third]), "application/json");
    expect(events.map(({ key, isProcessable }) => [key, isProcessable])).toEqual([
      [`${parent}::completed`, true],
      ["CA2::busy", true],
      ["other:EZ3", false],
    ]);
    expect(events[0]?.occurredAt).toBe(Date.UTC(2025, 11, 10, 14, 23, 45));
  });

  test("the same fields as JSON, or in the query of a GET", () => {
    const fields = { CallSid: "CA1", CallStatus: "busy", SequenceNumber: 2 };
    const [json] = parse(JSON.stringify(fields), "application/json");
    const [get] = parse("", "", "GET", "https://x/y?CallSid=CA1&CallStatus=busy&SequenceNumber=2#rc=3");
    expect([json?.key, get?.key]).toEqual(["CA1:2:busy", "CA1:2:busy"]);
  });

  test("a callback of another product is kept; one that names neither call nor account is refused", () => {
    expect(parse("AccountSid=AC1&ConferenceSid=CF1&StatusCallbackEvent=conference-end")).toMatchObject([
      { aliases: [], isProcessable: false, isKnown: false },
    ]);
    expect(() => parse("Body=hello")).toThrow(expect.objectContaining({ field: "CallSid" }));
    expect(() => parse("[]", "application/json")).toThrow("1 to 1000 events");
  });

  test("Hebrew in a form, with blanks as %20 or as +", () => {
    const [percent] = parse("CallSid=CA1&CallStatus=ringing&CallerName=%D7%93%D7%A0%D7%94%20%D7%9C%D7%95%D7%99");
    const [plus] = parse("CallSid=CA1&CallStatus=ringing&CallerName=%D7%93%D7%A0%D7%94+%D7%9C%D7%95%D7%99");
    expect([percent?.guesses.customer_name, plus?.guesses.customer_name]).toEqual(["דנה לוי", "דנה לוי"]);
  });
});

test.each([
  ["https://h.example/a?b='c'#rc=3", ["https://h.example/a?b='c'", "https://h.example:443/a?b='c'"]],
  ["http://h.example/a", ["http://h.example/a", "http://h.example:80/a"]],
  ["https://u:p@h.example:8443/a", ["https://h.example/a", "https://h.example:8443/a"]],
  ["https://[::1]:8443/a", ["https://[::1]/a", "https://[::1]:8443/a"]],
  ["https://h.example?x=a@b:c", ["https://h.example?x=a@b:c", "https://h.example:443?x=a@b:c"]],
])("what may have been signed for %s", (url, urls) => {
  expect(signedUrls(url)).toEqual(urls);
});

describe("answers", () => {
  const answered = (receipt: Receipt) => {
    const { status, body } = twilio.answer(receipt, twilio.setup.parse({}));
    return `${status} ${body}`;
  };

  test("204: stored, and nothing else is said", () => {
    expect(answered({ kind: "stored", route: "given", results: [] })).toBe("204 ");
  });

  test("503 on every route: Twilio repeats a 5xx where its URL says so", () => {
    const [event] = parse(fixture("status.3-completed.txt"));
    if (!event) throw new Error("no event");
    const result = { event, eventId: "e", effect: "recorded", call: null, training: null, problem: "boom" } as const;
    expect(answered({ kind: "stored", route: "given", results: [result] })).toMatch(/^503 (?!.*boom)/);
    expect(answered({ kind: "unavailable", route: "own", message: "full" })).toMatch(/^503/);
  });
});
