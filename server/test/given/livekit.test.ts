import type { Call } from "@aftercall/contract/call.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { connectLivekitHmac, makeCustomer, randomToken } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";
import { signLivekit, signLivekitToken } from "../harness/sign.ts";

const path = "/api/webhooks/call_completed";
const refused = '{"error":"Invalid webhook signature","status":401}';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

/** A customer whose LiveKit signs as the Call Outcomes API says, and a room of its own. */
async function withRoom() {
  const customer = await makeCustomer(app);
  const livekit = await connectLivekitHmac(app, customer);
  const room = `RM_${randomToken("x")}`;
  const body = (file: string, id = `evt_${randomToken("x")}`) =>
    fixture("livekit", `given/${file}.json`, { [fixtureIds.room]: room }).replace(/"id": "[^"]+"/, `"id": "${id}"`);
  return { customer, livekit, room, body };
}

/** `participant_left` of an agent, `seconds` after the room was made. */
const left = (room: string, seconds: number, reason = "CLIENT_INITIATED") => ({
  id: `evt_${randomToken("x")}`,
  event: "participant_left",
  createdAt: new Date(Date.UTC(2025, 9, 29, 15, 30) + seconds * 1000).toISOString(),
  room: { name: "sip-7678189426__1730217045__abc123", sid: room, creationTime: "2025-10-29T15:30:00.000Z" },
  participant: { identity: "agent", disconnectReason: reason },
});

test("200: processed, with the outcome and the call's id", async () => {
  const { customer, livekit, room, body } = await withRoom();
  const answer = await livekit.given(body("participant_left", "evt_abc123def456"));
  const [call] = await customer.calls();
  expect(answer.said).toEqual([
    200,
    `{"status":"processed","message":"Event processed successfully. Outcome: completed","event_id":"evt_abc123def456","call_id":"${call?.id}"}`,
  ]);
  expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(call).toMatchObject({
    provider: "livekit",
    provider_call_id: room,
    status: "ended",
    outcome: "completed",
    direction: "inbound",
    from: "+17678189426",
    started_at: "2025-10-29T15:30:00.000Z",
    ended_at: "2025-10-29T15:30:45.123Z",
    duration_ms: 45_123,
    recording: { status: "available", url: "https://cdn.example.com/recordings/recording.mp3", duration_ms: 40_123 },
  });
});

test("200: a repeat, without call_id, also with another body; nothing changes", async () => {
  const { customer, livekit, room } = await withRoom();
  const sent = left(room, 45);
  await livekit.given(sent);
  await customer.settled();
  const [before] = await customer.calls();
  const repeat = `{"status":"processed","message":"Event already processed (idempotency)","event_id":"${sent.id}"}`;
  expect((await livekit.given(sent)).said).toEqual([200, repeat]);
  expect((await livekit.given({ ...sent, createdAt: "2025-10-29T15:31:00Z" })).said).toEqual([200, repeat]);
  expect(await customer.calls()).toEqual([before]);
  expect(await customer.events()).toMatchObject([{ seen_count: 3, differing_count: 1 }]);
});

test("200: other events are ignored, and stored", async () => {
  const { customer, livekit, body } = await withRoom();
  expect((await livekit.given(body("track_published.ignored"))).said).toEqual([
    200,
    `{"status":"ignored","message":"Event type 'track_published' is not processable","event_type":"track_published"}`,
  ]);
  expect(await customer.events()).toMatchObject([{ type: "track_published" }]);
});

test.each([
  [2.9, "CLIENT_INITIATED", "failed"],
  [3, "CLIENT_INITIATED", "no_answer"],
  [9.9, "CLIENT_INITIATED", "no_answer"],
  [10, "CLIENT_INITIATED", "completed"],
  [45, "server ERROR while talking", "failed"],
  [1, "line Busy", "busy"],
  [45, "USER_REJECTED", "busy"],
  [32, "USER_UNAVAILABLE", "no_answer"],
  [45, "SIP_TRUNK_FAILURE", "failed"],
])("200: %s s and %s: %s", async (seconds, reason, outcome) => {
  const { customer, livekit, room } = await withRoom();
  const { text } = await livekit.given(left(room, seconds, reason));
  expect(JSON.parse(text).message).toBe(`Event processed successfully. Outcome: ${outcome}`);
  expect(await customer.calls()).toMatchObject([{ outcome, status: outcome === "failed" ? "failed" : "ended" }]);
});

test("200: room_finished and egress_ended speak of the same call", async () => {
  const { customer, livekit, body } = await withRoom();
  for (const file of ["egress_ended", "room_finished", "participant_left"]) {
    expect((await livekit.given(body(file))).status).toBe(200);
  }
  expect(await customer.calls()).toMatchObject([{ status: "ended", outcome: "completed" }]);
});

test("200: LiveKit's own events, signed by its own token: the SIP caller decides, the agent's leave does not", async () => {
  const customer = await makeCustomer(app);
  const livekit = await customer.connect("livekit");
  const room = `RM_${randomToken("x")}`;
  const send = (file: string) =>
    livekit.given(
      fixture("livekit", `real/${file}.raw.txt`, { [fixtureIds.room]: room }).replace(
        /"id":"[^"]+"/,
        `"id":"EV_${randomToken("x")}"`,
      ),
    );
  const seen: [string, string | undefined][] = [];
  for (const file of [
    "room_started",
    "participant_joined.sip-dialing",
    "participant_joined.sip",
    "participant_left.agent",
    "participant_left.sip-caller-hangup",
    "room_finished",
  ]) {
    expect((await send(file)).status).toBe(200);
    seen.push([file, (await customer.calls())[0]?.status]);
  }
  expect(seen.map(([, status]) => status)).toEqual([
    "queued",
    "ringing",
    "in_progress",
    "in_progress",
    "ended",
    "ended",
  ]);
  expect(await customer.calls()).toMatchObject([{ outcome: "completed" }]);
});

test("200: both ways to sign on one route, and both at once when both are right", async () => {
  const customer = await makeCustomer(app);
  const [secret, key, apiSecret] = [randomToken("secret"), randomToken("API"), randomToken("secret")];
  const line = await customer.connect("livekit", {
    secrets: [
      { slot: "secret", value: secret },
      { slot: "api_secret", value: apiSecret, key_id: key },
    ],
  });
  const body = JSON.stringify(left(`RM_${randomToken("x")}`, 45));
  const hmac = signLivekit(secret, body);
  const token = signLivekitToken({ key, secret: apiSecret }, body);
  const both = { body, headers: { ...token.headers, ...hmac.headers } };
  for (const sent of [hmac, token, both]) expect((await app.post(path, sent)).status).toBe(200);
  const events = await customer.events();
  expect(events).toMatchObject([{ seen_count: 3, source_id: line.source.id }]);

  const wrongToken = { body, headers: { ...hmac.headers, authorization: `${token.headers["authorization"]}x` } };
  const wrongHmac = { body, headers: { ...token.headers, "x-livekit-signature": "0".repeat(64) } };
  for (const sent of [wrongToken, wrongHmac]) expect((await app.post(path, sent)).said).toEqual([401, refused]);
});

test("401: no signature, a wrong one, one of another body, a join token without the body's hash", async () => {
  const { customer, livekit, room } = await withRoom();
  const { headers, body } = livekit.sign(left(room, 45));
  const plain = { "content-type": "application/json" };
  expect((await app.post(path, { headers: plain, body })).said).toEqual([401, refused]);
  expect((await app.post(path, signLivekit("wrong", body))).said).toEqual([401, refused]);
  expect((await app.post(path, { headers, body: `${body} ` })).said).toEqual([401, refused]);
  const other = await customer.connect("livekit");
  const { authorization } = other.sign("another body").headers as Record<string, string>;
  expect((await app.post(path, { headers: { ...plain, authorization: authorization ?? "" }, body })).said).toEqual([
    401,
    refused,
  ]);
  expect(await customer.calls()).toEqual([]);
  expect(await customer.events()).toEqual([]);
});

test("401: an expired token; the request is in the quarantine of whoever signed it", async () => {
  const customer = await makeCustomer(app);
  const { secret, keyId } = await customer.connect("livekit");
  const body = JSON.stringify(left(`RM_${randomToken("x")}`, 45));
  const sent = signLivekitToken({ key: keyId, secret }, body, Date.now() - 3_600_000);
  expect((await app.post(path, sent)).said).toEqual([401, refused]);
  expect(await customer.quarantine()).toMatchObject([{ reason: "token_expired" }]);
});

test.each([
  ["id", "event_id"],
  ["event", "event_type"],
  ["createdAt", "event_created_at"],
  ["room.name", "room_name"],
  ["room.sid", "room_sid"],
])("400: without %s the details name %s", async (field, name) => {
  const { customer, livekit, room } = await withRoom();
  const sent: Record<string, unknown> = left(room, 45);
  const [outer = "", inner] = field.split(".");
  if (inner) sent[outer] = { ...(sent[outer] as object), [inner]: undefined };
  else delete sent[outer];
  expect((await livekit.given(sent)).said).toEqual([
    400,
    `{"error":"Invalid webhook payload","details":"Missing required field: ${name}","status":400}`,
  ]);
  expect(await customer.events()).toEqual([]);
});

test("400: no JSON", async () => {
  const { livekit } = await withRoom();
  const answer = await livekit.given("{");
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.text)).toMatchObject({ error: "Invalid webhook payload", status: 400 });
});

test("500: the database is away; LiveKit's repeat is processed; 503 on the own URL", async () => {
  const { customer, livekit, room } = await withRoom();
  const sent = left(room, 45);
  app.database.cut();
  const cold = await livekit.given(sent);
  const warm = await livekit.given(sent);
  const own = await livekit.own(sent);
  app.database.restore();
  for (const answer of [cold, warm]) {
    expect(answer.said).toEqual([
      500,
      '{"error":"Failed to process webhook event","message":"Database connection failed","status":500}',
    ]);
    expect(answer.headers.get("retry-after")).toBe("5");
  }
  expect([own.status, own.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(JSON.parse((await livekit.given(sent)).text).message).toBe("Event processed successfully. Outcome: completed");
  expect(await customer.calls()).toMatchObject([{ status: "ended" } satisfies Partial<Call>]);
});

test("200: the health of the Call Outcomes API", async () => {
  const { status, text } = await app.get("/api/webhooks/call_completed/health");
  const { timestamp, ...rest } = JSON.parse(text);
  expect([status, rest]).toEqual([200, { status: "healthy", service: "call_outcomes", version: "1.0.0" }]);
  expect(text).toMatch(
    /^\{"status":"healthy","service":"call_outcomes","version":"1\.0\.0","timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"\}$/,
  );
  expect(Math.abs(Date.parse(timestamp) - Date.now())).toBeLessThan(60_000);
});
