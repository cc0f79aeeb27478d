import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, makeCustomer, newCallSid, newUuid, randomToken } from "../harness/customer.ts";
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

const fixture = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../fixtures/pulled/${name}`, import.meta.url)), "utf8");

/** The provider's API: answers by the end of the path that is asked for, 404 to everything else. */
function script(answers: Readonly<Record<string, string>>): void {
  api.answer(({ path }) => {
    const [asked = ""] = path.split("?");
    const found = Object.entries(answers).find(([end]) => asked.endsWith(end));
    return found ? { status: 200, headers: { "content-type": "application/json" }, body: found[1] } : { status: 404 };
  });
}

async function pulledBy(customer: Customer, id: string) {
  const { data } = await customer.get("/v1/sources");
  return data.find((source: { id: string }) => source.id === id)?.pull ?? null;
}

/** Asks the provider now, and resolves with what the list of sources, and the source itself, say about it afterwards. */
async function pull(customer: Customer, id: string) {
  const before = await pulledBy(customer, id);
  await customer.post(`/v1/sources/${id}/pull`, undefined);
  for (;;) {
    const now = await pulledBy(customer, id);
    if (now && now.polled_at !== before?.polled_at) {
      expect((await customer.get(`/v1/sources/${id}`)).pull).toEqual(now);
      return now;
    }
    await systemClock.sleep(20);
  }
}

/** As if nothing had been heard of the tenant's calls for an hour. */
async function letGoStale({ tenantId }: Customer): Promise<void> {
  await app.db.inTransaction([tenantId], (tx) =>
    tx.run("update calls set updated_at = now() - interval '1 hour' where tenant_id = $1", [tenantId]),
  );
}

async function completedMessages(customer: Customer): Promise<number> {
  await customer.settled();
  const { data } = await customer.get("/v1/messages?limit=100");
  return data.filter((message: { type: string }) => message.type === "call.completed").length;
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

  test.each([
    ["poll", "webhook", "client"],
    ["poll", "client", "webhook"],
    ["webhook", "poll", "client"],
    ["webhook", "client", "poll"],
    ["client", "poll", "webhook"],
    ["client", "webhook", "poll"],
  ])("%s, %s, %s of one call give one record and one call.completed", async (...order) => {
    const customer = await makeCustomer(app);
    const secret = randomToken("secret");
    const line = await customer.connect("vapi", withKey(secret));
    const client = await customer.connect("vapi", {
      provider: "generic",
      on_given_routes: false,
      auth: "none",
      secrets: [],
      setup: { id_kind: "vapi_call" },
    });
    const id = newUuid();
    const mine = { ...call, id, phoneCallProviderId: newCallSid() };
    script({ "/call": JSON.stringify([mine]), [`/call/${id}`]: JSON.stringify(mine) });
    const { message } = JSON.parse(
      readFileSync(
        fileURLToPath(new URL("../../src/providers/vapi/fixtures/real/end-of-call-report.json", import.meta.url)),
        "utf8",
      ),
    );
    const does: Record<string, () => Promise<void>> = {
      poll: async () => expect(await pull(customer, line.source.id)).toMatchObject({ result: "ok" }),
      webhook: async () => {
        const body = JSON.stringify({ message: { ...message, call: mine } });
        const headers = { "content-type": "application/json", "x-vapi-secret": secret };
        expect((await app.post(`/webhooks/${line.source.slug}`, { headers, body })).status).toBe(200);
      },
      client: async () => {
        const body = JSON.stringify({ id, status: "completed" });
        const headers = { "content-type": "application/json" };
        expect((await app.post(`/webhooks/${client.source.slug}`, { headers, body })).status).toBe(200);
      },
    };
    for (const step of order) await does[step]?.();

    const calls = await customer.calls();
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      status: "ended",
      outcome: "completed",
      from: "+97233764400",
      to: "+972501234567",
      duration_ms: 26_500,
      recording: { status: "available" },
      summary: call.analysis.summary,
    });
    expect(await completedMessages(customer)).toBe(1);
  });

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
