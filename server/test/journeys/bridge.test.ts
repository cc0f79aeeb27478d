import { createHmac } from "node:crypto";

import { afterAll, beforeAll, expect, test } from "vitest";

import { type ModelServer, startModel } from "../bridge/model-server.ts";
import { openTwilio, streamSid, type TwilioPeer } from "../bridge/twilio-peer.ts";
import { known, startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newCallSid, type Customer, type Line } from "../harness/customer.ts";
import { discardDatabase, ownDatabase } from "../harness/database.ts";
import { verifiedMessages } from "../harness/messages.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";

const patient = { timeout: 60_000 };

let app: TestApp;
let receiver: Receiver;
beforeAll(async () => {
  [app, receiver] = await Promise.all([startTestApp(), startReceiver()]);
});
afterAll(async () => {
  await receiver.close();
  await app.stop();
});

/** A customer whose Twilio number is answered by a model. */
async function answering(
  changes: Record<string, unknown> = {},
  server = app,
): Promise<{ customer: Customer; line: Line & { tenantId: string }; model: ModelServer }> {
  const [customer, model] = await Promise.all([makeCustomer(server), startModel()]);
  const bridge = { is_on: true, url: model.url, agent_name: "Noa", speaks_first: false, ...changes };
  const line = await customer.connect("twilio", { setup: { bridge } });
  await customer.post(`/v1/sources/${line.source.id}/secrets`, { slot: "realtime_key", value: "key-of-the-model" });
  return { customer, line: { ...line, tenantId: customer.tenantId }, model };
}

function status(line: Line, callSid: string, CallStatus: string, more: Record<string, string> = {}): string {
  const parties = { Direction: "inbound", From: "+972529876543", To: "+97233764400" };
  return new URLSearchParams({ CallSid: callSid, AccountSid: line.keyId, CallStatus, ...parties, ...more }).toString();
}

/** Twilio asks what to do with a call. */
function ask(line: Line, callSid: string, server = app) {
  const path = `/webhooks/${line.source.slug}/voice`;
  return server.post(path, line.sign(status(line, callSid, "ringing"), path));
}

/** Twilio opens the stream that it was told of. */
async function ring(line: Line, callSid: string, server = app): Promise<{ peer: TwilioPeer; token: string }> {
  const { text } = await ask(line, callSid, server);
  const url = /<Stream url="([^"]+)"/.exec(text)?.[1] ?? "";
  const token = /<Parameter name="token" value="([^"]+)"/.exec(text)?.[1] ?? "";
  const peer = await open(line, url, { callSid, token }, server);
  peer.start();
  return { peer, token };
}

function open(line: Line, url: string, call: { callSid: string; token: string }, server = app): Promise<TwilioPeer> {
  const signature = createHmac("sha1", line.secret).update(url).digest("base64");
  const here = server.url.replace(/^http/, "ws") + new URL(url).pathname;
  return openTwilio(here, { ...call, headers: { "x-twilio-signature": signature } });
}

type Value = { readonly key: string; readonly role: string | null; readonly basis: string; readonly value: number };

/** What the two say to each other, in nine seconds. */
async function converse(peer: TwilioPeer, model: ModelServer): Promise<void> {
  const connection = await model.connection(1);
  connection.answer({ id: "a", ms: 2_000, text: "Good evening, this is the night desk." });
  await peer.said.when(() => peer.queuedMs === 2_000);
  peer.play(3_000);
  peer.play(3_000, 0x10);
  await connection.soundOf(6_000);
  connection.heard("caller_1", 3_000, 6_000, "I am locked out of my flat in Tel Aviv.");
  connection.answer({ id: "b", ms: 2_000, text: "A locksmith is on the way." });
  await peer.said.when(() => peer.queuedMs === 2_000);
  peer.play(3_000);
  await connection.soundOf(9_000);
}

test("a call that the model answers becomes one call with recording, metrics, transcript and analysis, in one signed message", async () => {
  const { customer, line, model } = await answering();
  const endpoint = await customer.subscribe(receiver, { types: ["call.completed"] });
  const callSid = newCallSid();
  const { peer } = await ring(line, callSid);
  await converse(peer, model);
  const connection = await model.connection(1);
  expect(connection.url).toBe("/v1/realtime?model=gpt-realtime");
  expect(connection.headers["authorization"]).toBe("Bearer key-of-the-model");
  expect(connection.headers["openai-beta"]).toBeUndefined();
  peer.send({ event: "stop", streamSid, stop: { callSid } });
  const [completed] = await verifiedMessages(receiver, endpoint.secret, 1);
  const Timestamp = new Date().toUTCString().replace("GMT", "+0000");
  const ended = status(line, callSid, "completed", { CallDuration: "9", SequenceNumber: "3", Timestamp });
  expect((await line.own(ended)).status).toBe(204);
  await customer.settled();

  const [call, ...others] = await customer.calls();
  expect(others).toEqual([]);
  expect(call).toMatchObject({
    ...{ provider: "twilio", provider_call_id: callSid, status: "ended", outcome: "completed", duration_ms: 9_000 },
    ...{ direction: "inbound", from: "+972529876543", agent_name: "Noa" },
    recording: { status: "stored", channels: 2, duration_ms: 9_000 },
  });
  expect(completed?.data.transcript?.turns).toMatchObject([
    { role: "agent", text: "Good evening, this is the night desk.", start_ms: 0, end_ms: 2_000 },
    { role: "customer", text: "I am locked out of my flat in Tel Aviv.", start_ms: 3_000, end_ms: 6_000 },
    { role: "agent", text: "A locksmith is on the way.", start_ms: 6_000, end_ms: 8_000 },
  ]);
  const run = await customer.get(`/v1/calls/${call?.id}/analysis`);
  expect(run.fields.find(({ name }: { name: string }) => name === "city")).toMatchObject({ value: "Tel Aviv" });
  const { data: sets } = await customer.get(`/v1/calls/${call?.id}/metrics`);
  const values = sets
    .flatMap((set: { values: Value[] }) => set.values)
    .filter((one: Value) => one.basis === "audio_vad");
  const talk = (role: string) => values.find((one: Value) => one.key === "talk_ms" && one.role === role)?.value;
  expect(Math.abs(talk("agent") - 4_000)).toBeLessThan(600);
  expect(Math.abs(talk("customer") - 3_000)).toBeLessThan(600);
  const costs = await customer.get(`/v1/calls/${call?.id}/costs`);
  expect(costs.data).toMatchObject([
    { component: "llm", unit: "input_token", quantity: "120", model: "gpt-realtime", money: null },
    { component: "llm", unit: "cached_input_token", quantity: "80" },
    { component: "llm", unit: "output_token", quantity: "120" },
    { component: "stt", unit: "ms", quantity: "3000" },
  ]);
  expect((await customer.get("/v1/messages?limit=100&type=call.completed")).data).toHaveLength(1);
  await model.close();
});

test("the end that Twilio tells before the call is stored here is the same end: the message waits for what was said", async () => {
  const { customer, line, model } = await answering();
  await customer.subscribe(receiver, { types: ["call.completed"] });
  const callSid = newCallSid();
  const { peer } = await ring(line, callSid);
  await converse(peer, model);
  const ended = status(line, callSid, "completed", { CallDuration: "9", SequenceNumber: "3" });
  expect((await line.own(ended)).status).toBe(204);
  peer.send({ event: "stop", streamSid, stop: { callSid } });
  await customer.settled();
  expect((await customer.get("/v1/messages?limit=100&type=call.completed")).data).toHaveLength(1);
  const [call, ...others] = await customer.calls();
  expect(others).toEqual([]);
  expect(call).toMatchObject({ status: "ended", duration_ms: 9_000, recording: { status: "stored" } });
  const transcript = await customer.get(`/v1/calls/${call?.id}/transcript`);
  expect(transcript.turns).toHaveLength(3);
  const types = (await customer.events()).map(({ type }) => type);
  expect(types.filter((type) => type === "bridge.said")).toHaveLength(3);
  expect(types).toEqual(expect.arrayContaining(["status.ringing", "bridge.began", "bridge.ended", "status.completed"]));
  await model.close();
});

test("a note is read again like every event, and erasing the call takes its recording and what was said", async () => {
  const { customer, line, model } = await answering();
  const callSid = newCallSid();
  const { peer } = await ring(line, callSid);
  await converse(peer, model);
  peer.send({ event: "stop", streamSid, stop: { callSid } });
  await expect.poll(async () => (await customer.calls())[0]?.status, patient).toBe("ended");
  await customer.settled();
  const events = await customer.events();
  for (const type of ["bridge.began", "bridge.recorded", "bridge.ended"]) {
    const event = events.find((one) => one.type === type);
    // oxlint-disable-next-line no-await-in-loop -- One replay after the other.
    expect(await customer.post(`/v1/events/${event?.id}/replay`, {})).toMatchObject({ result: "unchanged" });
  }
  const [call] = await customer.calls();
  const { data: recordings } = await customer.get(`/v1/calls/${call?.id}/recordings`);
  expect(recordings).toMatchObject([{ state: "stored", channels: 2, channel_map: ["customer", "agent"] }]);
  expect((await customer.ask("DELETE", `/v1/calls/${call?.id}`)).status).toBeLessThan(300);
  expect((await customer.get(`/v1/calls/${call?.id}/recordings`)).data).toMatchObject([{ state: "deleted" }]);
  const ended = events.find(({ type }) => type === "bridge.ended");
  expect(JSON.stringify(await customer.get(`/v1/events/${ended?.id}`))).not.toContain("locked out");
  await model.close();
});

test("a server that stops ends the calls that it carries, and their ends are stored", async () => {
  const database = await ownDatabase();
  const stopping = await startTestApp({}, { shared: database });
  const { line, model } = await answering({}, stopping);
  const { peer } = await ring(line, newCallSid(), stopping);
  const connection = await model.connection(1);
  peer.play(40);
  await connection.soundOf(40);
  await stopping.stop();
  expect(await peer.closed).toEqual({ code: 1000, reason: "stopping" });
  const notes = await database.db.inTransaction([line.tenantId], (tx) =>
    tx.rows<{ type: string }>("select type from events where tenant_id = $1 and type like 'bridge.%' order by id", [
      line.tenantId,
    ]),
  );
  expect(notes.map(({ type }) => type)).toEqual(["bridge.began", "bridge.recorded", "bridge.ended"]);
  await model.close();
  await discardDatabase(database);
});

test("401: a stream that Twilio did not open; 1008: a token a second time; the call that it began goes on", async () => {
  const { line, model } = await answering();
  const callSid = newCallSid();
  const { peer, token } = await ring(line, callSid);
  await model.connection(1);
  const url = `${known.publicUrl.replace(/^http/, "ws")}/webhooks/${line.source.slug}/stream`;
  const stranger = { ...line, secret: "not-the-token-of-the-account" };
  await expect(open(stranger, url, { callSid, token })).rejects.toThrow("401");
  const again = await open(line, url, { callSid, token });
  again.start();
  expect(await again.closed).toEqual({ code: 1008, reason: "the token was used" });
  peer.play(20);
  await (await model.connection(1)).soundOf(20);
  peer.cut();
  await model.close();
});

test("404: a source whose bridge is off answers no calls, nor one of another provider; 401: nor a stranger", async () => {
  const { line, model, customer } = await answering({ is_on: false });
  expect((await ask(line, newCallSid())).status).toBe(404);
  const url = `${known.publicUrl.replace(/^http/, "ws")}/webhooks/${line.source.slug}/stream`;
  await expect(open(line, url, { callSid: "CA1", token: "t" })).rejects.toThrow("404");
  const vapi = await customer.connect("vapi");
  expect((await ask({ ...line, source: vapi.source }, newCallSid())).status).toBe(404);
  const other = await answering();
  expect((await ask({ ...other.line, sign: line.sign }, newCallSid())).status).toBe(401);
  await Promise.all([model.close(), other.model.close()]);
});

test("what follows the loss of the model is in the TwiML, and then Twilio alone says when the call is over", async () => {
  const { customer, line, model } = await answering({ say_on_failure: "One moment & <please>." });
  model.refusesWith = 500;
  const callSid = newCallSid();
  const twiml = await ask(line, callSid);
  expect(twiml.headers.get("content-type")).toBe("text/xml; charset=utf-8");
  expect(twiml.text).toContain("</Connect><Say>One moment &amp; &lt;please&gt;.</Say></Response>");
  const { peer } = await ring(line, callSid);
  expect(await peer.closed).toEqual({ code: 1000, reason: "model_refused" });
  await expect.poll(async () => (await customer.events()).at(-1)?.type, patient).toBe("bridge.ended");
  expect((await customer.calls())[0]?.status).toBe("in_progress");
  expect((await line.own(status(line, callSid, "completed", { CallDuration: "5" }))).status).toBe(204);
  await customer.settled();
  expect((await customer.calls())[0]).toMatchObject({ status: "ended", recording: { status: "absent" } });
  await model.close();
});

test("nobody's private network is reached through the address of a model", async () => {
  const { customer, line, model } = await answering({ url: "wss://10.1.2.3/v1/realtime" });
  const { peer } = await ring(line, newCallSid());
  expect(await peer.closed).toEqual({ code: 1000, reason: "model_refused" });
  await expect.poll(async () => (await customer.calls())[0]?.status, patient).toBe("ended");
  await customer.settled();
  expect(model.connections.all).toEqual([]);
  await model.close();
});
