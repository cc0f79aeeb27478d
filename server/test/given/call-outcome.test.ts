import { createHmac } from "node:crypto";

import type { Call } from "@aftercall/contract/call.ts";
import type { User } from "@aftercall/contract/tenant.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { known, startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, randomToken, type Customer } from "../harness/customer.ts";
import { userToken } from "../harness/sign.ts";

const unauthorized = '{"error":"Unauthorized","message":"Invalid or expired JWT token","status":401}';
const missing = '{"error":"Missing required parameter: user_id","status":400}';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

/** A customer with a user whose LiveKit calls are reported, and one call that is over. */
async function withCall() {
  const customer = await makeCustomer(app);
  const sub = randomToken("user");
  const user: User = await customer.post("/v1/users", { external_id: sub });
  const livekit = await customer.connect("livekit", { user_id: user.id });
  const room = `RM_${randomToken("x")}`;
  await livekit.given({
    id: `evt_${randomToken("x")}`,
    event: "participant_left",
    createdAt: "2025-10-29T15:30:45.123Z",
    room: { name: "sip-7678189426__1730217045__abc123", sid: room, creationTime: "2025-10-29T15:30:00.000Z" },
    participant: { identity: "agent", disconnectReason: "CLIENT_INITIATED" },
  });
  // What its pipeline finds is told as a change of the call.
  await customer.settled();
  const [call] = await customer.calls();
  if (!call) throw new Error("no call");
  return { customer, sub, room, call };
}

async function ask(id: string, userId: string | null, token: string | null) {
  const query = userId === null ? "" : `?user_id=${encodeURIComponent(userId)}`;
  return app.get(`/api/calls/${id}/outcome${query}`, token === null ? {} : { authorization: `Bearer ${token}` });
}
const tokenOf = (sub: string) => userToken(known.jwtSecret, { sub });
const notFound = (id: string) => `{"error":"Call not found","call_id":"${id}","status":404}`;

test("200: the CallLog in its order, with what is unknown left out or null", async () => {
  const { sub, room, call } = await withCall();
  const answer = await ask(call.id, sub, tokenOf(sub));
  expect(answer.said).toEqual([
    200,
    `{"id":"${call.id}","userId":"${sub}","livekitRoomName":"sip-7678189426__1730217045__abc123","livekitRoomSid":"${room}","direction":"inbound","phoneNumber":"+17678189426","status":"ended","outcome":"completed","duration":45,"recordingUrl":null,"metadata":{"disconnect_reason":"CLIENT_INITIATED","participant_identity":"agent","room_creation_time":"2025-10-29T15:30:00.000Z"},"startedAt":"2025-10-29T15:30:00.000Z","endedAt":"2025-10-29T15:30:45.123Z","createdAt":"${call.created_at}","updatedAt":"${call.updated_at}"}`,
  ]);
  expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
});

test("200: a call that is still running is active, without outcome, duration and end", async () => {
  const { customer, sub } = await withCall();
  const call: Call = await customer.post("/v1/calls", {
    provider: "vapi",
    provider_call_id: newUuid(),
    user_id: sub,
    direction: "outbound",
    to: "+972501234567",
    agent_id: "agent_config_456",
  });
  const answer = await ask(call.id, sub, tokenOf(sub));
  expect(JSON.parse(answer.text)).toMatchObject({
    direction: "outbound",
    phoneNumber: "+972501234567",
    agentConfigId: "agent_config_456",
    status: "active",
    outcome: null,
    duration: null,
    recordingUrl: null,
    endedAt: null,
  });
  expect(answer.text).not.toContain("livekitRoom");
});

test("401: before anything else: no token, a wrong one, one that ran out, one without end or subject, none's signature", async () => {
  const { sub, call } = await withCall();
  const now = Math.floor(Date.now() / 1000);
  const [head, claims] = tokenOf(sub).split(".");
  const unsigned = Buffer.from('{"alg":"none"}').toString("base64url");
  const hs512 = `${Buffer.from('{"alg":"HS512"}').toString("base64url")}.${claims}`;
  const tokens = [
    null,
    "x",
    userToken("another-secret-of-somebody", { sub }),
    userToken(known.jwtSecret, { sub, exp: now - 1 }),
    userToken(known.jwtSecret, { sub, exp: null }),
    userToken(known.jwtSecret, {}),
    `${unsigned}.${claims}.`,
    `${head}.${claims}.`,
    `${hs512}.${createHmac("sha512", known.jwtSecret).update(hs512).digest("base64url")}`,
  ];
  for (const token of tokens) {
    expect((await ask(call.id, sub, token)).said).toEqual([401, unauthorized]);
    expect((await ask("nothing", null, token)).said).toEqual([401, unauthorized]);
  }
});

test("400: user_id is missing, before the call is looked for", async () => {
  const { sub, call } = await withCall();
  expect((await ask(call.id, null, tokenOf(sub))).said).toEqual([400, missing]);
  expect((await ask(call.id, "", tokenOf(sub))).said).toEqual([400, missing]);
  expect((await ask("nothing", null, tokenOf(sub))).said).toEqual([400, missing]);
});

test("404: none, another user's and another tenant's call are one answer", async () => {
  const mine = await withCall();
  const theirs = await withCall();
  const colleague = await secondUser(mine.customer);
  const token = tokenOf(mine.sub);
  for (const [id, userId, with_] of [
    ["call_log_abc123", mine.sub, token],
    [newUuid(), mine.sub, token],
    [theirs.call.id, mine.sub, token],
    [theirs.call.id, theirs.sub, token],
    [mine.call.id, theirs.sub, token],
    [mine.call.id, colleague, tokenOf(colleague)],
    [mine.call.id, mine.sub, tokenOf(colleague)],
    [mine.call.id, mine.sub, tokenOf("somebody-nobody-knows")],
  ] as const) {
    expect((await ask(id, userId, with_)).said).toEqual([404, notFound(id)]);
  }
});

async function secondUser(customer: Customer): Promise<string> {
  const sub = randomToken("colleague");
  await customer.post("/v1/users", { external_id: sub });
  return sub;
}

test("500: the database is away, without a word about it", async () => {
  const { sub, call } = await withCall();
  app.database.cut();
  const answer = await ask(call.id, sub, tokenOf(sub));
  app.database.restore();
  expect(answer.status).toBeGreaterThanOrEqual(500);
  expect(answer.text).not.toMatch(/ECONN|terminated|127\.0\.0\.1|postgres/i);
  expect((await ask(call.id, sub, tokenOf(sub))).status).toBe(200);
});
