import { createHmac } from "node:crypto";

import type { CallOutcome, CallStatus } from "@aftercall/contract/call.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createAuth } from "#/http/auth.ts";
import { createRate } from "#/http/rate.ts";
import { createLog } from "#/kernel/log.ts";

import { createFakeClock } from "../../test/harness/clock.ts";
import { startHttp, type TestHttp } from "../../test/harness/http.ts";
import { callLogOf, type CallForOutcome } from "./call-log.ts";
import { registerOutcome } from "./outcome.ts";

const jwtSecret = "a-secret-that-only-tests-know-0001";
const clock = createFakeClock(Date.UTC(2025, 9, 29, 15, 30, 45, 123));
const uuid = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
const id = toPublicId("call", uuid);
const call: CallForOutcome = {
  id,
  userId: "user_xyz789",
  direction: "inbound",
  status: "ended",
  outcome: "completed",
  agentConfigId: "agent_config_456",
  livekitRoomName: "sip-7678189426__1730217045__abc123",
  livekitRoomSid: "RM_xyz789abc123",
  phoneNumber: "+17678189426",
  sipCallId: "sip-call-123",
  durationMs: 45_123,
  recordingUrl: "https://cdn.example.com/recordings/recording.mp3",
  metadata: { disconnect_reason: "CLIENT_INITIATED" },
  startedAt: Date.UTC(2025, 9, 29, 15, 30),
  endedAt: Date.UTC(2025, 9, 29, 15, 30, 45, 123),
  createdAt: Date.UTC(2025, 9, 29, 15, 30, 0, 500),
  updatedAt: Date.UTC(2025, 9, 29, 15, 30, 45, 500),
};

let http: TestHttp;
let asked: unknown[] = [];
let failure: Error | null;
beforeAll(async () => {
  const auth = createAuth({
    clock,
    jwtSecret,
    callerOfKey: async () => null,
    membershipsOf: async (externalId) => {
      if (externalId === "user_xyz789") return [{ tenant: "t1", userId: "usr_1" }];
      return externalId === "other" ? [{ tenant: "t2", userId: "usr_2" }] : [];
    },
  });
  http = await startHttp((app) =>
    registerOutcome(app, {
      auth,
      clock,
      rate: createRate({ perMinute: 30, clock }),
      log: createLog({ level: "silent" }),
      findCallForUser: async (wanted) => {
        asked.push(wanted);
        if (failure) throw failure;
        return wanted.tenantIds.includes("t1") && wanted.id === uuid ? call : null;
      },
    }),
  );
});
beforeEach(async () => {
  asked = [];
  failure = null;
  await clock.advance(60_000);
});
afterAll(() => http.close());

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

function token(sub: string): string {
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ sub, exp: Math.floor(clock.now() / 1000) + 60 })}`;
  return `${signed}.${createHmac("sha256", jwtSecret).update(signed).digest("base64url")}`;
}

async function ask(path: string, sub: string | null = "user_xyz789") {
  const answer = await fetch(
    http.url + path,
    sub === null ? {} : { headers: { authorization: `Bearer ${token(sub)}` } },
  );
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

test("200: the CallLog, byte for byte", async () => {
  const answer = await ask(`/api/calls/${id}/outcome?user_id=user_xyz789`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json; charset=utf-8"]);
  expect(answer.text).toBe(
    `{"id":"${id}","userId":"user_xyz789","agentConfigId":"agent_config_456","livekitRoomName":"sip-7678189426__1730217045__abc123","livekitRoomSid":"RM_xyz789abc123","direction":"inbound","phoneNumber":"+17678189426","sipCallId":"sip-call-123","status":"ended","outcome":"completed","duration":45,"recordingUrl":"https://cdn.example.com/recordings/recording.mp3","metadata":{"disconnect_reason":"CLIENT_INITIATED"},"startedAt":"2025-10-29T15:30:00.000Z","endedAt":"2025-10-29T15:30:45.123Z","createdAt":"2025-10-29T15:30:00.500Z","updatedAt":"2025-10-29T15:30:45.500Z"}`,
  );
  expect(asked).toEqual([{ tenantIds: ["t1"], userExternalId: "user_xyz789", id: uuid }]);
});

test.each([uuid, uuid.toUpperCase(), id])("200: %s is the same call", async (form) => {
  expect((await ask(`/api/calls/${form}/outcome?user_id=user_xyz789`)).status).toBe(200);
});

test("401: without a token, whatever else is wrong", async () => {
  for (const path of [
    `/api/calls/${id}/outcome?user_id=user_xyz789`,
    `/api/calls/${id}/outcome`,
    "/api/calls/nothing/outcome",
  ]) {
    const answer = await ask(path, null);
    expect([answer.status, answer.text]).toEqual([
      401,
      '{"error":"Unauthorized","message":"Invalid or expired JWT token","status":401}',
    ]);
  }
});

test("400: user_id is missing or empty, also for a call that is not there", async () => {
  for (const path of [`/api/calls/${id}/outcome`, `/api/calls/${id}/outcome?user_id=`, "/api/calls/nothing/outcome"]) {
    const answer = await ask(path);
    expect([answer.status, answer.text]).toEqual([400, '{"error":"Missing required parameter: user_id","status":400}']);
  }
});

test("400: user_id twice, so that nobody can mean two people at once", async () => {
  expect((await ask(`/api/calls/${id}/outcome?user_id=user_xyz789&user_id=other`)).status).toBe(400);
});

test.each([
  ["another user's call", id, "other", "other"],
  ["another user, asked for with one's own token", id, "user_xyz789", "other"],
  ["one's own call under another name", id, "other", "user_xyz789"],
  ["a user without a tenant", id, "stranger", "stranger"],
  [
    "a call that is not there",
    toPublicId("call", "0199a1b2-c3d4-7e5f-8a9b-000000000000"),
    "user_xyz789",
    "user_xyz789",
  ],
  ["an id of another kind", toPublicId("source", uuid), "user_xyz789", "user_xyz789"],
  ["an id that is no id", "call_log_abc123", "user_xyz789", "user_xyz789"],
])("404: %s is the same answer as none", async (_name, callId, sub, userId) => {
  const answer = await ask(`/api/calls/${callId}/outcome?user_id=${userId}`, sub);
  expect([answer.status, answer.text]).toEqual([404, `{"error":"Call not found","call_id":"${callId}","status":404}`]);
});

test.each(["abc%00def", "..%2f..%2fadmin", "%F0%9F%93%9E"])("404: the id %s", async (form) => {
  expect((await ask(`/api/calls/${form}/outcome?user_id=user_xyz789`)).status).toBe(404);
});

test("429: a user who asks too often is told when to go on; others go on", async () => {
  const path = `/api/calls/${id}/outcome?user_id=user_xyz789`;
  for (let i = 0; i < 30; i++) await ask(path);
  const answer = await ask(path);
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "2"]);
  expect((await ask(`/api/calls/${id}/outcome?user_id=other`, "other")).status).toBe(404);
  await clock.advance(2_000);
  expect((await ask(path)).status).toBe(200);
});

test("500: our own failure shows nothing of it", async () => {
  failure = new Error("relation calls does not exist");
  const answer = await ask(`/api/calls/${id}/outcome?user_id=user_xyz789`);
  expect([answer.status, answer.text]).toEqual([500, '{"error":"Internal server error","status":500}']);
});

test("200: health needs no token", async () => {
  const answer = await ask("/api/webhooks/call_completed/health", null);
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.text)).toEqual({
    status: "healthy",
    service: "call_outcomes",
    version: "1.0.0",
    timestamp: new Date(clock.now()).toISOString(),
  });
});

describe("the CallLog of", () => {
  test.each<[CallStatus, CallOutcome | null, string, string | null]>([
    ["queued", null, "active", null],
    ["ringing", null, "active", null],
    ["in_progress", null, "active", null],
    ["ended", "completed", "ended", "completed"],
    ["ended", "no_answer", "ended", "no_answer"],
    ["ended", "busy", "ended", "busy"],
    ["ended", "voicemail", "ended", "no_answer"],
    ["ended", "transferred", "ended", "completed"],
    ["failed", "failed", "failed", "failed"],
    ["canceled", "canceled", "failed", "failed"],
    ["timeout", null, "failed", null],
  ])("a call that is %s with outcome %s says %s, %s", (status, outcome, statusShown, outcomeShown) => {
    expect(callLogOf({ ...call, status, outcome })).toMatchObject({ status: statusShown, outcome: outcomeShown });
  });

  test("a running call has null where the end is not known", () => {
    const log = callLogOf({
      ...call,
      status: "in_progress",
      outcome: null,
      durationMs: 1_000,
      recordingUrl: null,
      metadata: null,
    });
    expect(log).toMatchObject({
      status: "active",
      outcome: null,
      duration: null,
      endedAt: null,
      recordingUrl: null,
      metadata: null,
    });
  });

  test("a call of another provider leaves out what it cannot have", () => {
    const none = {
      agentConfigId: null,
      livekitRoomName: null,
      livekitRoomSid: null,
      phoneNumber: null,
      sipCallId: null,
      startedAt: null,
    };
    const names = Object.keys(callLogOf({ ...call, ...none, direction: "web" }));
    expect(names).toEqual([
      "id",
      "userId",
      "direction",
      "status",
      "outcome",
      "duration",
      "recordingUrl",
      "metadata",
      "endedAt",
      "createdAt",
      "updatedAt",
    ]);
  });

  test.each([
    ["web", "inbound"],
    [null, "inbound"],
    ["outbound", "outbound"],
  ] as const)("direction %s says %s", (direction, shown) => {
    expect(callLogOf({ ...call, direction })["direction"]).toBe(shown);
  });
});
