import type { Call, Transcript } from "@aftercall/contract/call.ts";
import type { Message } from "@aftercall/contract/message.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newCallSid, newUuid, randomToken, type Customer } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";
import { verifiedMessages } from "../harness/messages.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";

let app: TestApp;
const receivers: Receiver[] = [];
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(async () => {
  for (const receiver of receivers) await receiver.close();
  await app.stop();
});

async function receiving(customer: Customer, changes: Record<string, unknown> = {}) {
  const receiver = await startReceiver();
  receivers.push(receiver);
  const endpoint = await customer.subscribe(receiver, changes);
  return { receiver, endpoint };
}

/** What each provider sends for one call that was talked in, and what everybody must agree on afterwards. */
const talks: Record<string, { send(customer: Customer): Promise<void>; call: Partial<Call> }> = {
  vapi: {
    async send(customer) {
      const vapi = await customer.connect("vapi");
      const ids = { [fixtureIds.vapiCall]: newUuid() };
      for (const file of ["status-update.in-progress", "status-update.ended", "end-of-call-report"]) {
        await vapi.own(fixture("vapi", `real/${file}.json`, ids));
      }
    },
    call: {
      direction: "outbound",
      from: "+97233764400",
      to: "+972501234567",
      duration_ms: 26_500,
      city: "בית שאן",
      service_category: "שיווק נכס",
      summary: "הלקוחה ביקשה שירותי שיווק נכס בבית שאן ונקבעה פגישה ליום שלישי.",
      customer_name: "דנה לוי",
    },
  },
  elevenlabs: {
    async send(customer) {
      const elevenlabs = await customer.connect("elevenlabs");
      await elevenlabs.own(fixture("elevenlabs", "real/post_call_transcription.twilio-inbound.json"));
    },
    call: {
      direction: "inbound",
      from: "+972501234567",
      to: "+97233764400",
      duration_ms: 26_000,
      city: "בית שאן",
      language: "he",
      summary: "הלקוחה ביקשה שיווק נכס בבית שאן והפרטים הועברו לנציג.",
    },
  },
  twilio: {
    async send(customer) {
      const twilio = await customer.connect("twilio");
      const ids = { [fixtureIds.accountSid]: twilio.keyId, [fixtureIds.callSid]: newCallSid() };
      await twilio.given(fixture("twilio", "real/status.2-answered-in-progress.txt", ids));
      await twilio.given(fixture("twilio", "real/status.3-completed.txt", ids));
    },
    call: { direction: "outbound", to: "+972501234567", duration_ms: 26_000 },
  },
  livekit: {
    async send(customer) {
      const livekit = await customer.connect("livekit");
      await livekit.given(fixture("livekit", "real/participant_joined.sip.raw.txt"));
      await livekit.given(fixture("livekit", "real/participant_left.sip-caller-hangup.raw.txt"));
    },
    call: { direction: "inbound" },
  },
  wonderful: {
    async send(customer) {
      const wonderful = await customer.connect("wonderful");
      const session = await customer.post("/v1/training-sessions", {});
      await wonderful.given({ communication_id: randomToken("comm"), session_id: session.session_id });
    },
    call: { status: "ended" },
  },
};

test.each(Object.keys(talks))(
  "%s: webhooks in, one true call, call.ended and call.completed out, signed",
  async (name) => {
    const { send, call: expected } = talks[name] ?? { send: async () => {}, call: {} };
    const customer = await makeCustomer(app);
    const types = ["call.ended", "call.completed"];
    const { receiver, endpoint } = await receiving(customer, { types });
    await send(customer);
    const messages = await verifiedMessages(receiver, endpoint.secret, 2);

    const [call, ...others] = await customer.calls();
    expect(others).toEqual([]);
    expect(call).toMatchObject({ provider: name, status: "ended", outcome: "completed", ...expected });
    expect(messages.map(({ type }) => type).toSorted()).toEqual(types.toSorted());
    const completed = messages.find(({ type }) => type === "call.completed");
    expect(completed?.data.call).toMatchObject({ id: call?.id, status: "ended", outcome: "completed", ...expected });
    expect(completed?.timestamp).toBe(call?.ended_at);

    const { data }: { data: Message[] } = await customer.get(`/v1/messages?call_id=${call?.id}`);
    const written = data.map(({ type }) => type).filter((type) => type.startsWith("call."));
    expect(written.toSorted()).toEqual(types.toSorted());
    expect(receiver.received).toHaveLength(2);
  },
);

test("Hebrew survives: provider, store, API and delivery say the same, letter for letter", async () => {
  for (const [name, said] of [
    ["vapi", "כן, אני מחפשת שירותי שיווק נכס בבית שאן."],
    ["elevenlabs", "היי, אני צריכה שיווק נכס בבית שאן."],
  ] as const) {
    const customer = await makeCustomer(app);
    const { receiver, endpoint } = await receiving(customer, { types: ["call.completed"] });
    const flat = await receiving(customer, { types: ["call.completed"], format: "flat" });
    await talks[name]?.send(customer);
    const [message] = await verifiedMessages(receiver, endpoint.secret, 1);
    const [call] = await customer.calls();
    const { language, text, turns }: Transcript = await customer.get(`/v1/calls/${call?.id}/transcript`);
    expect(turns.some((turn) => turn.role === "customer" && turn.text === said)).toBe(true);
    const told = message?.data.transcript?.language ?? null;
    expect(message?.data.transcript).toEqual({ language: told, text, turns });
    // The API fills in what the call knows of it.
    expect([null, language]).toContain(told);
    expect(message?.data.call.city).toBe("בית שאן");

    const [event] = await customer.events("order=newest");
    expect((await customer.get(`/v1/events/${event?.id}`)).body).toContain("בית שאן");
    const [row] = await flat.receiver.waitFor(1);
    expect(JSON.parse(row?.body.toString("utf8") ?? "")).toMatchObject({
      event_type: "call.completed",
      city: "בית שאן",
      phone: "+972501234567",
      transcript: text,
      duration_sec: 26,
    });
  }
});

test("the given system's golden Hebrew: city, service and summary headings reach the flat body", async () => {
  const customer = await makeCustomer(app);
  const { receiver } = await receiving(customer, { format: "flat", types: ["call.completed"] });
  const wanted = JSON.parse(fixture("twilio", "given/outbound.call.completed.json"));
  const value = randomToken("secret");
  const source = await customer.post("/v1/sources", {
    slug: randomToken("pipeline"),
    provider: "generic",
    secrets: [{ slot: "secret", value }],
  });
  const { call_id, phone, ...known } = wanted;
  const answer = await app.post(`/webhooks/${source.slug}`, {
    headers: { "content-type": "application/json; charset=utf-8", "x-webhook-secret": value },
    body: JSON.stringify({ ...known, call_id, from: phone, call_sid: call_id, status: "completed" }),
  });
  expect(answer.status).toBe(200);
  const [sent] = await receiver.waitFor(1);
  const row = JSON.parse(sent?.body.toString("utf8") ?? "");
  for (const name of [
    "city",
    "service_category",
    "summary",
    "transcript",
    "phone",
    "call_id",
    "lead_id",
    "direction",
  ]) {
    expect([name, row[name]]).toEqual([name, wanted[name]]);
  }
  expect(Object.keys(row)).toEqual(Object.keys(wanted));
  expect(row.summary).toContain("### ");
});

test("a call that never connected sends call.failed and nothing else", async () => {
  const customer = await makeCustomer(app);
  const { receiver, endpoint } = await receiving(customer);
  const twilio = await customer.connect("twilio");
  for (const word of ["busy", "no-answer", "failed", "canceled"]) {
    await twilio.given(
      fixture("twilio", `real/status.terminal-${word}.txt`, { [fixtureIds.accountSid]: twilio.keyId }),
    );
  }
  const messages = await verifiedMessages(receiver, endpoint.secret, 4);
  expect(messages.map(({ type }) => type)).toEqual(Array.from({ length: 4 }, () => "call.failed"));
  expect((await customer.get("/v1/messages?limit=100")).data).toHaveLength(4);
});

test("direction: inbound to inbound, else generic; outbound to outbound only", async () => {
  const types = ["call.completed"];
  const send = async (customer: Customer, direction: "inbound" | "outbound") => {
    const twilio = await customer.connect("twilio");
    const file = direction === "inbound" ? "status.inbound-completed" : "status.3-completed";
    const ids = { [fixtureIds.accountSid]: twilio.keyId, [fixtureIds.callSid]: newCallSid() };
    await twilio.given(fixture("twilio", `real/${file}.txt`, ids));
  };
  const messagesOf = async (customer: Customer): Promise<Message[]> =>
    (await customer.get("/v1/messages?limit=100&type=call.completed")).data;

  const all = await makeCustomer(app);
  const inbound = await receiving(all, { types, direction: "inbound" });
  const outbound = await receiving(all, { types, direction: "outbound" });
  const generic = await receiving(all, { types, direction: "generic" });
  await send(all, "inbound");
  await send(all, "outbound");
  const [[first], [second]] = await Promise.all([
    verifiedMessages(inbound.receiver, inbound.endpoint.secret, 1),
    verifiedMessages(outbound.receiver, outbound.endpoint.secret, 1),
  ]);
  expect([first?.data.call.direction, second?.data.call.direction]).toEqual(["inbound", "outbound"]);
  expect(generic.receiver.received).toEqual([]);

  const onlyGeneric = await makeCustomer(app);
  const other = await receiving(onlyGeneric, { types, direction: "generic" });
  await send(onlyGeneric, "outbound");
  await send(onlyGeneric, "inbound");
  const [got] = await verifiedMessages(other.receiver, other.endpoint.secret, 1);
  expect(got?.data.call.direction).toBe("inbound");
  await onlyGeneric.settled();
  const reasons = (await messagesOf(onlyGeneric)).map((message) => message.unrouted_reason ?? "sent");
  expect(reasons.toSorted()).toEqual(["filtered", "sent"]);

  const nobody = await makeCustomer(app);
  await send(nobody, "inbound");
  await nobody.settled();
  expect((await messagesOf(nobody)).map((message) => message.unrouted_reason)).toEqual(["no_endpoint"]);
});

test("what came before there was an endpoint can be looked at, and is sent whole to one that is made later", async () => {
  const customer = await makeCustomer(app);
  await talks["elevenlabs"]?.send(customer);
  await customer.settled();
  const list = await customer.get("/v1/messages?limit=100");
  const missed = (list.data as Message[]).filter(({ type }) => type.startsWith("call."));
  expect(missed.map(({ type }) => type).toSorted()).toEqual(["call.completed", "call.ended"]);
  const completed = missed.find(({ type }) => type === "call.completed");
  const shown = await customer.get(`/v1/messages/${completed?.id}`);
  expect(JSON.parse(shown.bodies.standard)).toMatchObject({
    type: "call.completed",
    timestamp: completed?.occurred_at,
    data: { call: talks["elevenlabs"]?.call, transcript: { turns: expect.any(Array) } },
  });

  // The filter is asked of what nobody wanted then as well.
  const city = { "data.call.city": "בית שאן" };
  const { receiver, endpoint } = await receiving(customer, { types: ["call.*"], filter: city });
  await customer.post("/v1/resends", { mode: "missing", endpoint_id: endpoint.id });
  const messages = await verifiedMessages(receiver, endpoint.secret, 2);
  expect(messages.map(({ id }) => id).toSorted()).toEqual(missed.map(({ id }) => id).toSorted());
  const got = receiver.received.find(({ body }) => body.includes("call.completed"));
  expect(got?.body.toString()).toBe(shown.bodies.standard);
});

test("100 copies of the last event at once send each message once", async () => {
  const customer = await makeCustomer(app);
  const { receiver, endpoint } = await receiving(customer, { types: ["call.*"] });
  const elevenlabs = await customer.connect("elevenlabs");
  const body = fixture("elevenlabs", "real/post_call_transcription.twilio-inbound.json");
  await Promise.all(Array.from({ length: 100 }, () => elevenlabs.own(body)));
  const messages = await verifiedMessages(receiver, endpoint.secret, 2);
  expect(new Set(messages.map(({ id }) => id)).size).toBe(2);
  expect((await customer.get("/v1/deliveries?limit=100")).data).toHaveLength(2);
});

test("a receiver that fails at first gets the same message again, with the same id and bytes", async () => {
  const customer = await makeCustomer(app);
  const { receiver, endpoint } = await receiving(customer, { types: ["call.ended"], schedule_ms: [1_000] });
  receiver.answer((_request, count) => ({ status: count === 1 ? 500 : 200 }));
  await talks["elevenlabs"]?.send(customer);
  const [first, second] = await verifiedMessages(receiver, endpoint.secret, 2);
  expect(second).toEqual(first);
});

test("latency is measured from received to applied to delivered", async () => {
  const customer = await makeCustomer(app);
  const { receiver, endpoint } = await receiving(customer, { types: ["call.ended"] });
  await talks["livekit"]?.send(customer);
  await verifiedMessages(receiver, endpoint.secret, 1);
  const counted = async () => {
    const { text } = await app.get("/metrics");
    return [
      /aftercall_intake_seconds_count\{provider="livekit"\} (\d+)/.exec(text)?.[1],
      /aftercall_delivery_seconds_count (\d+)/.exec(text)?.[1],
      /aftercall_inbound_total\{provider="livekit",result="stored"\} (\d+)/.exec(text)?.[1],
    ].map(Number);
  };
  await expect.poll(counted).toEqual([expect.any(Number), expect.any(Number), expect.any(Number)]);
  for (const count of await counted()) expect(count).toBeGreaterThan(0);
});
