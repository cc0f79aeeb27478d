import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, type Line, makeCustomer, newCallSid, newUuid, randomToken } from "../harness/customer.ts";
import { fixture } from "../harness/fixture.ts";
import { completedMessages, playApi, pulledFixture, pullNow } from "../harness/pulled.ts";
import { type Receiver, startReceiver } from "../harness/receiver.ts";

/*
 * One call, told by the provider's webhook, by the provider's API when it is asked, and by another system that finishes it: in
 * whichever order the three come, it is one record that says the same, and one `call.completed`.
 */
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

/** A new call of a provider. */
type Told = {
  /** The kind of name by which the other system knows the call, and that name. */
  readonly idKind: string;
  readonly id: string;
  /** What the API answers, by the end of the path. */
  readonly answers: Readonly<Record<string, string>>;
  /** The bodies of its webhooks. */
  webhooks(line: Line): readonly (string | object)[];
  readonly becomes: object;
};

/** Of a call with a recording that only its API tells of. */
const calls: Readonly<Record<"vapi" | "elevenlabs" | "twilio" | "livekit", () => Told>> = {
  vapi() {
    const id = newUuid();
    const mine = { ...JSON.parse(pulledFixture("vapi.call.json")), id, phoneCallProviderId: newCallSid() };
    const { message } = JSON.parse(fixture("vapi", "real/end-of-call-report.json"));
    return {
      ...{ idKind: "vapi_call", id },
      answers: { "/call": JSON.stringify([mine]), [`/call/${id}`]: JSON.stringify(mine) },
      webhooks: () => [{ message: { ...message, call: mine } }],
      becomes: {
        ...{ from: "+97233764400", to: "+972501234567", duration_ms: 26_500, summary: mine.analysis.summary },
        recording: { status: "available" },
      },
    };
  },
  elevenlabs() {
    const id = `conv_${randomToken("x")}`;
    const named = (text: string) => text.replaceAll("conv_6501k4daj54pez9r6ap59x7ypeft", id);
    const conversation = named(pulledFixture("elevenlabs.conversation.json"));
    return {
      ...{ idKind: "conversation_id", id },
      answers: {
        "/v1/convai/conversations": named(pulledFixture("elevenlabs.conversations.json")),
        [`/v1/convai/conversations/${id}`]: conversation,
      },
      webhooks: () => [
        { type: "post_call_transcription", event_timestamp: 1_772_461_425, data: JSON.parse(conversation) },
      ],
      becomes: { duration_ms: 26_000, summary: JSON.parse(conversation).analysis.transcript_summary },
    };
  },
  twilio() {
    const id = newCallSid();
    const named = (text: string) => text.replaceAll("CA9dd13ec4fcb895203d2162ca7e0297fc", id);
    return {
      ...{ idKind: "call_sid", id },
      answers: {
        "/Calls.json": named(pulledFixture("twilio.calls.json")),
        [`/Calls/${id}.json`]: named(pulledFixture("twilio.call.json")),
        [`/Calls/${id}/Recordings.json`]: named(pulledFixture("twilio.recordings.json")),
      },
      webhooks: ({ keyId }) =>
        ["in-progress", "completed"].map((CallStatus, number) =>
          new URLSearchParams({
            ...{ CallSid: id, AccountSid: keyId, CallStatus, SequenceNumber: String(number + 2) },
            ...{ Timestamp: "Wed, 10 Dec 2025 14:23:45 +0000", CallDuration: "26" },
          }).toString(),
        ),
      becomes: { duration_ms: 26_000, recording: { status: "available", channels: 2 } },
    };
  },
  livekit() {
    const id = `RM_${randomToken("x")}`;
    const name = randomToken("sip");
    // Their list knows no time, so what is older than a day is left out here.
    const endedAt = Date.now() - 600_000;
    const [began, ended] = [endedAt - 45_000, endedAt].map((ms) => `${ms}000000`);
    const egress = pulledFixture("livekit.egress.json")
      .replaceAll("RM_xyz789abc123", id)
      .replaceAll("sip-7678189426__1730217045__abc123", name)
      .replaceAll(/"started_at": "\d+"/g, `"started_at": "${began}"`)
      .replaceAll(/"ended_at": "\d+"/g, `"ended_at": "${ended}"`);
    const room = { sid: id, name, creationTime: String(Math.floor(endedAt / 1000) - 45) };
    const participant = { identity: "sip_1", kind: "SIP", disconnectReason: "CLIENT_INITIATED", attributes: {} };
    const createdAt = String(Math.floor(endedAt / 1000));
    return {
      ...{ idKind: "room_sid", id },
      answers: { "/ListRooms": pulledFixture("livekit.rooms.empty.json"), "/ListEgress": egress },
      webhooks: () => [
        { event: "room_started", id: randomToken("EV"), createdAt: room.creationTime, room },
        { event: "participant_left", id: randomToken("EV"), createdAt, room, participant },
        { event: "room_finished", id: randomToken("EV"), createdAt, room },
      ],
      becomes: { recording: { status: "available" } },
    };
  },
};

const orders = [
  ["poll", "webhook", "client"],
  ["poll", "client", "webhook"],
  ["webhook", "poll", "client"],
  ["webhook", "client", "poll"],
  ["client", "poll", "webhook"],
  ["client", "webhook", "poll"],
] as const;

describe.each(Object.keys(calls) as (keyof typeof calls)[])("%s", (provider) => {
  test.each(orders)("%s, %s, %s of one call give one record and one call.completed", async (...order) => {
    const customer = await makeCustomer(app);
    const told = calls[provider]();
    playApi(api, told.answers);
    const line = await connect(customer, provider);
    const client = await customer.connect("vapi", {
      ...{ provider: "generic", on_given_routes: false, auth: "none", secrets: [] },
      setup: { id_kind: told.idKind },
    });
    const does = {
      poll: async () => expect(await pullNow(customer, line.source.id)).toMatchObject({ result: "ok" }),
      webhook: async () => {
        for (const body of told.webhooks(line)) expect((await line.own(body)).status).toBeLessThan(300);
      },
      client: async () => {
        const headers = { "content-type": "application/json" };
        const body = JSON.stringify({ id: told.id, status: "completed" });
        expect((await app.post(`/webhooks/${client.source.slug}`, { headers, body })).status).toBe(200);
      },
    };
    for (const step of order) await does[step]();

    const records = await customer.calls();
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ status: "ended", outcome: "completed", ...told.becomes });
    expect(await completedMessages(customer)).toBe(1);
  });
});

/** A source that also has what its API wants to see. */
async function connect(customer: Customer, provider: keyof typeof calls): Promise<Line> {
  // Twilio's calls do not say whether they were recorded: the source does.
  const setup = { api: { base_url: api.url }, ...(provider === "twilio" && { expects_recording: true }) };
  const line = await customer.connect(provider, { setup });
  if (provider === "vapi" || provider === "elevenlabs") {
    await customer.post(`/v1/sources/${line.source.id}/secrets`, { slot: "api_key", value: "key-of-the-api" });
  }
  return line;
}
