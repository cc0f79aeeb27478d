import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, makeCustomer, newCallSid, randomToken } from "../harness/customer.ts";
import { completedMessages, playApi, pulledFixture as fixture, pullNow as pull } from "../harness/pulled.ts";
import { type Receiver, startReceiver } from "../harness/receiver.ts";

let app: TestApp;
let api: Receiver;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());
beforeEach(async () => {
  api = await startReceiver();
});
afterEach(() => api.close());

const script = (answers: Readonly<Record<string, string>>) => playApi(api, answers);

/** As if nothing had been heard of the tenant's calls for an hour. */
async function letGoStale({ tenantId }: Customer): Promise<void> {
  await app.db.inTransaction([tenantId], (tx) =>
    tx.run("update calls set updated_at = now() - interval '1 hour' where tenant_id = $1", [tenantId]),
  );
}

const setup = () => ({ api: { base_url: api.url } });
const withKey = (secret: string) => ({
  setup: setup(),
  secrets: [
    { slot: "secret", value: secret },
    { slot: "api_key", value: "key-of-the-api" },
  ],
});

describe("Vapi", () => {
  const call = JSON.parse(fixture("vapi.call.json"));

  test("a call of which no webhook ever came is found by the list, kept with its bytes, and read again by a replay", async () => {
    const customer = await makeCustomer(app);
    const line = await customer.connect("vapi", withKey(randomToken("secret")));
    script({ "/call": JSON.stringify([call]), [`/call/${call.id}`]: fixture("vapi.call.json") });

    expect(await pull(customer, line.source.id)).toMatchObject({
      result: "ok",
      detail: null,
      request_count: 2,
      found_count: 1,
      found_total: 1,
    });
    expect(api.received.map(({ headers }) => headers["authorization"])).toEqual(Array(2).fill("Bearer key-of-the-api"));
    const [event, ...others] = await customer.events();
    expect(others).toEqual([]);
    expect(event).toMatchObject({ type: "pulled.ended", verification: "pulled", effect: "applied", seen_count: 1 });
    const detail = await customer.get(`/v1/events/${event?.id}`);
    expect(detail.body).toContain(call.id);
    await customer.settled();
    const before = await customer.calls();

    const replayed = await customer.post(`/v1/events/${event?.id}/replay`, {});
    expect(replayed).toMatchObject({ problem: null });
    await customer.settled();
    expect(await customer.calls()).toEqual(before);

    // What is known to its end is not asked about again.
    expect(await pull(customer, line.source.id)).toMatchObject({ request_count: 1, found_count: 0, found_total: 1 });
  });

  test("a secret that the API refuses, a limit and a redirect end the turn, and the key goes nowhere else", async () => {
    const customer = await makeCustomer(app);
    const line = await customer.connect("vapi", withKey(randomToken("secret")));
    const elsewhere = await startReceiver();

    api.answer({ status: 401 });
    expect(await pull(customer, line.source.id)).toMatchObject({ result: "refused", found_count: 0 });
    api.answer({ status: 429, headers: { "retry-after": "7200" } });
    const limited = await pull(customer, line.source.id);
    expect(limited.result).toBe("limited");
    expect(Date.parse(limited.next_poll_at) - Date.parse(limited.polled_at)).toBeGreaterThanOrEqual(7_200_000);
    api.answer({ status: 302, headers: { location: elsewhere.url } });
    expect(await pull(customer, line.source.id)).toMatchObject({ result: "refused", detail: "The API answered 302" });
    api.answer({ status: 200, body: "no list" });
    expect(await pull(customer, line.source.id)).toMatchObject({ result: "unreadable" });

    expect(elsewhere.received).toEqual([]);
    await elsewhere.close();
  });

  test("without a key for the API nothing is asked", async () => {
    const customer = await makeCustomer(app);
    const line = await customer.connect("vapi", { setup: setup() });
    expect(await pull(customer, line.source.id)).toMatchObject({ result: "off", request_count: 0 });
    expect(api.received).toEqual([]);
  });
});

test("ElevenLabs: a conversation whose webhook was disabled comes with transcript and analysis", async () => {
  const customer = await makeCustomer(app);
  const line = await customer.connect("elevenlabs", withKey(randomToken("secret")));
  const conversation = JSON.parse(fixture("elevenlabs.conversation.json"));
  script({
    "/v1/convai/conversations": fixture("elevenlabs.conversations.json"),
    [`/v1/convai/conversations/${conversation.conversation_id}`]: fixture("elevenlabs.conversation.json"),
  });
  expect(await pull(customer, line.source.id)).toMatchObject({ result: "ok", found_count: 1 });
  expect(new Set(api.received.map(({ headers }) => headers["xi-api-key"]))).toEqual(new Set(["key-of-the-api"]));

  const [call] = await customer.calls();
  expect(call).toMatchObject({ provider: "elevenlabs", status: "ended", outcome: "completed", duration_ms: 26_000 });
  const transcript = await customer.get(`/v1/calls/${call?.id}/transcript`);
  expect(transcript.turns.length).toBeGreaterThan(0);
  expect(await completedMessages(customer)).toBe(1);
});

test("Twilio: a call that only began is asked about, with its recordings", async () => {
  const customer = await makeCustomer(app);
  const line = await customer.connect("twilio", { setup: setup() });
  const sid = newCallSid();
  const of = (text: string) => text.replaceAll("CA9dd13ec4fcb895203d2162ca7e0297fc", sid);
  script({
    "/Calls.json": JSON.stringify({ calls: [], next_page_uri: null }),
    [`/Calls/${sid}.json`]: of(fixture("twilio.call.json")),
    [`/Calls/${sid}/Recordings.json`]: of(fixture("twilio.recordings.json")),
  });
  const began = { CallSid: sid, AccountSid: line.keyId, CallStatus: "in-progress", SequenceNumber: "2" };
  expect((await line.own(new URLSearchParams(began).toString())).status).toBe(204);
  expect(await pull(customer, line.source.id)).toMatchObject({ request_count: 1, found_count: 0 });
  await letGoStale(customer);
  expect(await pull(customer, line.source.id)).toMatchObject({ request_count: 3, found_count: 1 });

  expect(await customer.calls()).toMatchObject([
    {
      status: "ended",
      outcome: "completed",
      started_at: "2025-12-10T14:23:19.000Z",
      ended_at: "2025-12-10T14:23:45.000Z",
      duration_ms: 26_000,
      cost: { amount: "0.01300", currency: "USD" },
      recording: { status: "available", channels: 2 },
    },
  ]);
  const basic = Buffer.from(`${line.keyId}:${line.secret}`).toString("base64");
  expect(api.received.at(-1)?.headers["authorization"]).toBe(`Basic ${basic}`);
  expect(await completedMessages(customer)).toBe(1);
});

test("LiveKit: a room that is gone is over, with its recording; the caller's own end says it better", async () => {
  const customer = await makeCustomer(app);
  const line = await customer.connect("livekit", { setup: setup() });
  const room = { sid: "RM_xyz789abc123", name: "sip-7678189426__1730217045__abc123", creationTime: "1761751800" };
  script({ "/ListRooms": fixture("livekit.rooms.open.json"), "/ListEgress": '{"items":[]}' });
  expect((await line.own({ event: "room_started", id: randomToken("EV"), createdAt: "1761751800", room })).status).toBe(
    200,
  );
  await letGoStale(customer);
  await pull(customer, line.source.id);
  expect(await customer.calls()).toMatchObject([{ status: "queued" }]);
  const [, token = ""] = api.received[0]?.headers["authorization"]?.split(" ") ?? [];
  expect(JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())).toMatchObject({
    iss: line.keyId,
    video: { roomList: true, roomRecord: true },
  });

  script({ "/ListRooms": fixture("livekit.rooms.empty.json"), "/ListEgress": fixture("livekit.egress.json") });
  await letGoStale(customer);
  await app.db.inTransaction([customer.tenantId], (tx) =>
    tx.run("update call_pulls set due_at = now() - interval '1 hour' where tenant_id = $1", [customer.tenantId]),
  );
  await pull(customer, line.source.id);
  expect(await customer.calls()).toMatchObject([
    { status: "timeout", ended_at: "2025-10-29T15:30:45.373Z", recording: { status: "available" } },
  ]);

  const participant = { identity: "sip_1", kind: "SIP", disconnectReason: "CLIENT_INITIATED", attributes: {} };
  const left = { event: "participant_left", id: randomToken("EV"), createdAt: "1761751845", room, participant };
  expect((await line.own(left)).status).toBe(200);
  expect(await customer.calls()).toMatchObject([{ status: "ended", outcome: "completed", duration_ms: 45_000 }]);
  expect(await completedMessages(customer)).toBe(1);
});
