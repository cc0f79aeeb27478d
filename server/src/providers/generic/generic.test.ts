import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { CallEvent } from "../provider.ts";
import { generic } from "./index.ts";
import { find } from "./paths.ts";
import { directionFor, heardFrom, words, wordFor } from "./words.ts";

function parsed(body: unknown, setup: unknown = {}, headers: Record<string, string> = {}): CallEvent {
  const all = new Map(Object.entries({ "content-type": "application/json", ...headers }).map(([k, v]) => [k, [v]]));
  const request = { method: "POST", url: "https://x/y", headers: all, body: Buffer.from(JSON.stringify(body)) };
  const [event] = generic.parse({ request, setup: generic.setup.parse(setup), receivedAtMs: 0 });
  if (!event) throw new Error("no event");
  return event;
}

describe("paths", () => {
  const body = { a: { b: [{ c: 1 }] }, "a.b": "literal", "x/y": { "~": 2 }, blank: " ", none: null };

  test.each([
    ["a.b.0.c", 1],
    ["/a/b/0/c", 1],
    ["a.b", "literal"],
    ["/x~1y/~0", 2],
    ["blank", undefined],
    ["none", undefined],
    ["a.b.length", undefined],
    ["constructor", undefined],
    ["__proto__", undefined],
    ["a.toString", undefined],
    ["a.b.-1", undefined],
  ])("%s leads to %s", (path, value) => {
    expect(find(body, [""], [path])?.value).toBe(value);
  });

  test("paths are tried in their order, each at every root; a pointer starts at the body", () => {
    const nested = { id: "event", call: { id: "call" } };
    expect(find(nested, ["call", ""], ["id"])?.value).toBe("call");
    expect(find(nested, ["call", ""], ["/id"])?.value).toBe("event");
    expect(find(nested, ["nowhere", ""], ["call_id", "id"])?.value).toBe("event");
  });

  test("any path on any body ends in a value or in nothing", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string({ minLength: 1 }), (object, path) => {
        const found = find(object, ["", "a.b"], [path]);
        expect(found === null || found.value !== undefined).toBe(true);
      }),
    );
  });
});

describe("words", () => {
  test.each([
    ["Hangup", "ended"],
    ["call.ended", "ended"],
    ["In Progress", "in_progress"],
    ["NO-ANSWER", "no_answer"],
    ["Cancelled", "canceled"],
    ["teleported", null],
    ["constructor", null],
    ["", null],
  ])("%s means %s", (theirs, ours) => {
    expect(wordFor(theirs, {})).toBe(ours);
  });

  test("the settings' own words go before the usual ones, in any letter case", () => {
    expect(wordFor("Pending", { pending: "in_progress" })).toBe("in_progress");
  });

  test.each([
    ["ended", "busy", "ended", "busy"],
    ["ended", null, "ended", "completed"],
    ["completed", "voicemail", "ended", "voicemail"],
    ["busy", "completed", "ended", "busy"],
    [null, "failed", "failed", "failed"],
    ["canceled", null, "canceled", "canceled"],
    ["ringing", "busy", "ringing", null],
  ] as const)("status %s with outcome %s is %s, %s", (status, outcome, ourStatus, ourOutcome) => {
    expect(heardFrom(status, outcome)).toEqual({ status: ourStatus, outcome: ourOutcome });
  });

  test("a call failed exactly if its outcome is failed", () => {
    for (const status of [null, ...words]) {
      for (const outcome of [null, ...words]) {
        const heard = heardFrom(status, outcome);
        expect(heard?.status === "failed").toBe(heard?.outcome === "failed");
      }
    }
  });

  test.each([
    ["incoming", "inbound"],
    ["outboundPhoneCall", "outbound"],
    ["webCall", "web"],
    ["sideways", null],
  ])("direction %s is %s", (theirs, ours) => {
    expect(directionFor(theirs, {})).toBe(ours);
  });
});

describe("bodies", () => {
  test("without an id: recorded, nothing applied; or refused, if the settings say so", () => {
    expect(parsed({ status: "completed" })).toMatchObject({ aliases: [], heard: null, isProcessable: false });
    expect(() => parsed({ status: "completed" }, { without_id: "refuse" })).toThrow(
      expect.objectContaining({ field: "id" }),
    );
  });

  test("without a status: nothing, or the end, if the settings say so; a status that is not understood is never the end", () => {
    expect(parsed({ id: 1 }).heard).toBeNull();
    expect(parsed({ id: 1 }, { without_status: "ended" }).heard).toEqual({ status: "ended", outcome: "completed" });
    expect(parsed({ id: 1, status: "teleported" }, { without_status: "ended" }).heard).toBeNull();
  });

  test.each([
    [{ duration: 26 }, 26_000],
    [{ duration_ms: 26_500 }, 26_500],
    [{ duration_minutes: 0.5 }, 30_000],
    [{ duration: "26" }, 26_000],
    [{ duration: "long" }, undefined],
  ])("%o lasts %s ms", (fields, ms) => {
    expect(parsed({ id: 1, ...fields }).facts.duration_ms).toBe(ms);
  });

  test("an id of another kind joins the call that others know by it", () => {
    expect(parsed({ id: "CA1" }, { id_kind: "call_sid" }).aliases).toEqual([{ kind: "call_sid", value: "CA1" }]);
    expect(parsed({ id: "7", call_sid: "CA1" }, { id_prefix: "crm:" }).aliases).toEqual([
      { kind: "generic", value: "crm:7" },
      { kind: "call_sid", value: "CA1" },
    ]);
  });

  test("the end's own time counts where the body has none of its own", () => {
    const ended = parsed({ id: 1, status: "ended", ended_at: "2026-03-02T14:23:45Z" });
    expect(ended.occurredAt).toBe(Date.UTC(2026, 2, 2, 14, 23, 45));
  });
});

describe("what is a repeat", () => {
  test("equal bytes; another body about the same call is not", () => {
    expect(parsed({ id: 1, status: "ended" }).key).toBe(parsed({ id: 1, status: "ended" }).key);
    expect(parsed({ id: 1, status: "ended" }).key).not.toBe(parsed({ id: 1, status: "ended", summary: "s" }).key);
  });

  test("an equal event_id, whatever the bytes", () => {
    expect(parsed({ id: 1, event_id: "e", n: 1 }).key).toBe(parsed({ id: 1, event_id: "e", n: 2 }).key);
  });

  test("an equal webhook-id, but only where it is signed", () => {
    const setup = { verification: { kind: "standard_webhooks" } };
    const standard = { "webhook-id": "msg_1", "webhook-signature": "v1,x", "svix-id": "forged" };
    expect(parsed({ id: 1, n: 1 }, setup, standard).key).toBe("message:msg_1");
    const svix = { "svix-id": "msg_2", "svix-signature": "v1,x", "webhook-id": "forged" };
    expect(parsed({ id: 1 }, setup, svix).key).toBe("message:msg_2");
    expect(parsed({ id: 1 }, {}, standard).key).not.toContain("msg_1");
  });
});

test("settings that leave the body out of what is signed are refused", () => {
  expect(generic.setup.safeParse({ verification: { kind: "hmac", signed: "{timestamp}" } }).success).toBe(false);
});
