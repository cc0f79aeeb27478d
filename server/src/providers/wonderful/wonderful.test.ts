import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import type { EventResult, Receipt, RouteKind } from "../provider.ts";
import { wonderful } from "./index.ts";
import { readTranscript, transcriptRequest } from "./transcript.ts";

const setup = wonderful.setup.parse({});
const records: unknown = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures/real-ish/transcript-records.json"), "utf8"),
);

function parse(body: unknown) {
  const request = { method: "POST", url: "https://x/y", headers: new Map(), body: Buffer.from(JSON.stringify(body)) };
  return wonderful.parse({ request, setup, receivedAtMs: 0 });
}

describe("the body", () => {
  const sessionId = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";

  test("a session is found whatever the letter case of its id", () => {
    expect(parse({ communication_id: "comm_1", session_id: sessionId.toUpperCase() })[0]?.training).toEqual({
      sessionId,
      communicationId: "comm_1",
    });
  });

  test.each([
    [{ communication_id: 7, session_id: sessionId }, "communication_id"],
    [{ communication_id: "", session_id: sessionId }, "communication_id"],
    [{ session_id: sessionId }, "communication_id"],
    [{ communication_id: "comm_1", session_id: null }, "session_id"],
    [{ communication_id: "comm_1", session_id: `${sessionId}0` }, "session_id"],
  ])("%o is refused for %s", (body, field) => {
    expect(() => parse(body)).toThrow(expect.objectContaining({ field }));
  });

  test("with a Communication API the call waits for what was said; without one nothing more comes", () => {
    const body = { communication_id: "comm_1", session_id: sessionId };
    expect(parse(body)[0]).toMatchObject({ isReport: true, awaitsReport: false });
    const request = { method: "POST", url: "https://x/y", headers: new Map(), body: Buffer.from(JSON.stringify(body)) };
    const withApi = wonderful.setup.parse({ api: { base_url: "https://acme.api.wonderful.ai" } });
    const [event] = wonderful.parse({ request, setup: withApi, receivedAtMs: 0 });
    expect(event).toMatchObject({ isReport: false, awaitsReport: true });
  });

  test("the same session with another communication is another event", () => {
    const keys = ["comm_1", "comm_2"].map((id) => parse({ communication_id: id, session_id: sessionId })[0]?.key);
    expect(keys[0]).not.toBe(keys[1]);
  });
});

describe("answers, byte for byte", () => {
  const [event] = parse({ communication_id: "comm_1", session_id: "a1b2c3d4-e5f6-7890-abcd-ef1234567890" });
  const stored = (change: Partial<EventResult>, route: RouteKind = "given") => {
    if (!event) throw new Error("no event");
    const base = { event, eventId: "e", effect: "applied", call: null, training: "claimed", problem: null } as const;
    return answered({ kind: "stored", route, results: [{ ...base, ...change }] });
  };
  const answered = (receipt: Receipt) => {
    const { status, body } = wonderful.answer(receipt, setup);
    return `${status} ${body}`;
  };

  test("202: feedback that is being made; 500 or 503: that could not be made", () => {
    expect(stored({ training: "pending" })).toBe('202 {"success":true,"message":"Feedback is being generated"}');
    expect(stored({ training: "failed" })).toBe('500 {"success":false,"error":"Internal server error"}');
    expect(stored({ training: "failed" }, "own")).toBe('503 {"success":false,"error":"Internal server error"}');
  });

  test("200: a claimed session", () => {
    expect(stored({})).toBe('200 {"success":true}');
  });

  test("200: feedback that is there or being made, also for a repeat of the very event", () => {
    const body = '200 {"success":true,"message":"Feedback already exists"}';
    expect(stored({ training: "exists" })).toBe(body);
    expect(stored({ training: "exists", effect: "repeat" })).toBe(body);
  });

  test("404: an unknown session, also for a repeat; on a source's own URL it is stored and 200", () => {
    const body = '404 {"success":false,"error":"Training session not found"}';
    expect(stored({ training: "unknown_session", effect: "unmatched" })).toBe(body);
    expect(stored({ training: "unknown_session", effect: "repeat" })).toBe(body);
    expect(stored({ training: "unknown_session", effect: "unmatched" }, "own")).toMatch(/^200 \{"success":true,/);
  });

  test("400, 401, 500", () => {
    expect(answered({ kind: "malformed", route: "given", message: "Missing required field: x", field: "x" })).toBe(
      '400 {"success":false,"error":"Invalid request body"}',
    );
    expect(answered({ kind: "unauthorized", route: "given", code: "missing_header" })).toBe(
      '401 {"success":false,"error":"Unauthorized"}',
    );
    expect(stored({ problem: "boom" })).toBe('500 {"success":false,"error":"Internal server error"}');
    expect(stored({ problem: "boom" }, "own")).toBe('503 {"success":false,"error":"Internal server error"}');
  });
});

describe("the transcript", () => {
  test("four records are three turns and something the agent did, in 15 seconds", () => {
    const read = readTranscript(records, setup.api);
    expect(read?.transcript.turns.map(({ role, start_ms, end_ms }) => [role, start_ms, end_ms])).toEqual([
      ["agent", 0, 500],
      ["customer", 3_000, 4_000],
      ["human_agent", 14_000, 15_000],
    ]);
    expect(read?.transcript.text).toBe(
      "Agent: שלום, איך אפשר לעזור?\nCustomer: אני רוצה לבטל את המנוי.\nHuman agent: מדבר יוסי, אני כאן לעזור.",
    );
    expect(read?.tools).toEqual([
      {
        name: "get_order_status",
        description: "Checked order status",
        params: { order_id: "123" },
        output: "Order #123 is shipped",
        at_ms: 6_000,
      },
    ]);
    expect((read?.endedAt ?? 0) - (read?.startedAt ?? 0)).toBe(15_000);
  });

  test("an empty answer is not written yet", () => {
    for (const answer of [[], {}, null, "", [null], [{ speaker: "agent", text: "" }]]) {
      expect(readTranscript(answer, setup.api)).toBeNull();
    }
  });

  test("other names of fields are settings, and records come in any order", () => {
    const { api } = wonderful.setup.parse({
      api: { records: "items", speaker: "who", text: "said", start_time: "at" },
    });
    const items = [
      { who: "customer", said: "second", at: 1706612348000 },
      { who: "agent", said: "first", at: 1706612345000 },
    ];
    expect(readTranscript({ items }, api)?.transcript.text).toBe("Agent: first\nCustomer: second");
  });

  test("whoever was trained is the agent", () => {
    const { api } = wonderful.setup.parse({ api: { trainee_speaker: "customer" } });
    const read = readTranscript(
      [
        { speaker: "agent", text: "Hi." },
        { speaker: "Customer", text: "Hello." },
      ],
      api,
    );
    expect(read?.transcript.turns.map(({ role }) => role)).toEqual(["customer", "agent"]);
  });

  test("the request carries the API key and a communication id that cannot leave its place in the path", () => {
    const { api } = wonderful.setup.parse({ api: { base_url: "https://acme.api.wonderful.ai/" } });
    const key = { slot: "api_key", keyId: null, value: "k" };
    expect(transcriptRequest("../admin?x", api, [key])).toEqual({
      url: "https://acme.api.wonderful.ai/api/v1/communications/..%2Fadmin%3Fx/transcript",
      headers: { accept: "application/json", "x-api-key": "k" },
    });
    const bearer = { ...api, auth_header: "authorization", auth_prefix: "Bearer " };
    expect(transcriptRequest("c", bearer, [key])?.headers).toMatchObject({ authorization: "Bearer k" });
    expect(transcriptRequest("c", setup.api, [key])).toBeNull();
  });
});
