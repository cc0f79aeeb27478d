import { ServerFrame } from "@aftercall/contract/live-frames.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { known } from "../harness/app.ts";
import { makeCustomer, newCallSid, newUuid, randomToken, type Customer, type Line } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";
import { userToken } from "../harness/sign.ts";
import { openSocket, type SocketClient, withoutCursor } from "./clients.ts";
import { startTwoServers, type LiveServer, type LiveServers } from "./servers.ts";

let live: LiveServers;
let one: LiveServer;
let other: LiveServer;
beforeAll(async () => {
  live = await startTwoServers();
  [one, other] = live.servers;
});
afterAll(() => live.stop());

/** A conversation of ElevenLabs that is told to the first server. */
async function conversation(customer: Customer) {
  const line = await customer.connect("elevenlabs");
  const callSid = newCallSid();
  const conversationId = `conv_${randomToken("c")}`;
  const ids = { [fixtureIds.callSid]: callSid };
  const told = fixture("elevenlabs", "real/post_call_transcription.twilio-inbound.json", ids);
  const was = (JSON.parse(told) as { data: { conversation_id: string } }).data.conversation_id;
  return { callSid, conversationId, end: () => line.own(told.replaceAll(was, conversationId)) };
}

/** A call of Vapi that is told to the first server, step by step. */
async function vapiCall(customer: Customer) {
  const line: Line = await customer.connect("vapi");
  const id = newUuid();
  const send = (message: Record<string, unknown>) => {
    return line.own({ message: { timestamp: Date.now(), call: { id }, ...message } });
  };
  return {
    id,
    ring: () => send({ type: "status-update", status: "ringing" }),
    say: (text: string, transcriptType: "partial" | "final") =>
      send({ type: "transcript", role: "user", transcript: text, transcriptType }),
    end: (endedReason = "customer-ended-call") =>
      send({
        type: "end-of-call-report",
        endedReason,
        startedAt: "2026-03-02T14:00:00Z",
        endedAt: "2026-03-02T14:01:00Z",
      }),
  };
}

const typesOf = (client: SocketClient) => client.frames.map(({ type }) => type);

test("a completion told to one server reaches a client of the other as status, then data, whatever name it used", async () => {
  const customer = await makeCustomer(one);
  const { callSid, conversationId, end } = await conversation(customer);
  const client = await openSocket(other.url, customer.key);
  expect(client.protocol).toBe("aftercall.v1");
  expect(await client.subscribe(callSid)).toEqual({
    type: "subscribed",
    identifier: callSid,
    kind: "call_sid",
    call_id: null,
    cursor: expect.any(String),
  });
  expect(await client.subscribe(conversationId)).toMatchObject({ kind: "conversation_id", call_id: null });
  expect((await end()).status).toBe(200);
  await client.until(({ type }) => type === "data");
  const [call] = await customer.calls();
  const named = {
    event_id: `${call?.id}.completed`,
    call_id: call?.id,
    conversation_id: conversationId,
    call_sid: callSid,
  };
  expect(client.frames.slice(2)).toEqual([
    { type: "status", ...named, status: "COMPLETED", at: call?.ended_at },
    {
      type: "data",
      ...named,
      data: {
        call_end_time: call?.ended_at,
        call_duration_seconds: Math.floor((call?.duration_ms ?? 0) / 1000),
        cost: expect.any(Number),
        call_successful: "success",
        transcript_summary: call?.summary,
        analysis: expect.objectContaining({ call_successful: "success" }),
        metadata: expect.objectContaining({ termination_reason: expect.any(String) }),
      },
      cursor: expect.any(String),
    },
  ]);
  for (const frame of client.frames) expect(ServerFrame.parse(frame)).toEqual(frame);
  client.close();
});

test("a client with two names of one call gets each message once, and none after it unsubscribed from both", async () => {
  const customer = await makeCustomer(one);
  const { id, ring, say, end } = await vapiCall(customer);
  await ring();
  const [call] = await customer.calls();
  const client = await openSocket(other.url, customer.key);
  expect(await client.subscribe(id)).toMatchObject({ kind: "uuid", call_id: call?.id });
  expect(await client.subscribe(call?.id ?? "")).toMatchObject({ kind: "call", call_id: call?.id });
  await client.subscribe("*");
  await say("שלום", "partial");
  await say("שלום לך", "final");
  await client.until((frame) => frame.type === "transcription" && frame.turn.is_final);
  expect(client.frames.filter(({ type }) => type === "transcription").map(withoutCursor)).toEqual([
    {
      type: "transcription",
      call_id: call?.id,
      turn: { role: "customer", text: "שלום", start_ms: null, is_final: false },
    },
    {
      type: "transcription",
      call_id: call?.id,
      turn: { role: "customer", text: "שלום לך", start_ms: null, is_final: true },
    },
  ]);
  client.send({ action: "unsubscribe", identifier: id });
  client.send({ action: "unsubscribe", identifier: "*" });
  await client.until((frame) => frame.type === "unsubscribed" && frame.identifier === "*");
  await say("עוד", "final");
  await client.until((frame) => frame.type === "transcription" && frame.turn.text === "עוד");
  client.send({ action: "unsubscribe", identifier: call?.id });
  await client.until((frame) => frame.type === "unsubscribed" && frame.identifier === call?.id);
  const count = client.frames.length;
  await end();
  await client.subscribe("nobody");
  expect(client.frames).toHaveLength(count + 1);
  client.close();
});

test("who subscribes after the end gets the pair at once, once, with the event id that the others got", async () => {
  const customer = await makeCustomer(one);
  const { callSid, conversationId, end } = await conversation(customer);
  const early = await openSocket(one.url, customer.key);
  await early.subscribe("*");
  await end();
  await early.until(({ type }) => type === "data");
  const late = await openSocket(other.url, customer.key);
  await late.subscribe(conversationId);
  await late.until(3);
  await late.subscribe(callSid);
  expect(typesOf(late)).toEqual(["subscribed", "status", "data", "subscribed"]);
  expect(late.frames.slice(1, 3).map(withoutCursor)).toEqual(early.frames.slice(1, 3).map(withoutCursor));
  early.close();
  late.close();
});

test("a call that failed has the same pair, with the reason", async () => {
  const customer = await makeCustomer(one);
  const { id, ring, end } = await vapiCall(customer);
  await ring();
  const client = await openSocket(other.url, customer.key);
  await client.subscribe(id);
  await end("customer-busy");
  const frames = await client.until(({ type }) => type === "data");
  expect(frames.slice(1)).toMatchObject([
    { type: "status", status: "FAILED" },
    { type: "data", data: { failure_reason: "customer-busy" } },
  ]);
  client.close();
});

test("a campaign's subscriber hears its calls and no others", async () => {
  const customer = await makeCustomer(one);
  const campaign = await customer.post("/v1/campaigns", { name: "Spring" });
  const client = await openSocket(other.url, customer.key);
  expect(await client.subscribe(campaign.id)).toMatchObject({ kind: "campaign", call_id: null });
  const mine = await vapiCall(customer);
  const stranger = await vapiCall(customer);
  await customer.post("/v1/calls", { provider: "vapi", provider_call_id: mine.id, campaign: campaign.id });
  await stranger.end();
  await mine.end();
  const frames = await client.until(({ type }) => type === "data");
  expect(frames.filter(({ type }) => type === "status")).toHaveLength(1);
  client.close();
});

test("another tenant's ids are answered as invented ones, and nothing of them is heard", async () => {
  const [customer, stranger] = [await makeCustomer(one), await makeCustomer(one)];
  const { id, ring, say, end } = await vapiCall(customer);
  await ring();
  const [call] = await customer.calls();
  const spy = await openSocket(one.url, stranger.key);
  const answers = [];
  for (const identifier of [id, newUuid(), call?.id ?? "", "*"]) answers.push(await spy.subscribe(identifier));
  expect(answers.map((answer) => ({ ...withoutCursor(answer), identifier: "" }))).toEqual([
    { type: "subscribed", identifier: "", kind: "uuid", call_id: null },
    { type: "subscribed", identifier: "", kind: "uuid", call_id: null },
    { type: "subscribed", identifier: "", kind: "call", call_id: null },
    { type: "subscribed", identifier: "", kind: "all", call_id: null },
  ]);
  const owner = await openSocket(one.url, customer.key);
  await owner.subscribe(id);
  await say("secret", "final");
  await end();
  await owner.until(({ type }) => type === "data");
  await spy.subscribe("still there");
  expect(typesOf(spy)).toEqual(Array(5).fill("subscribed"));
  spy.close();
  owner.close();
});

test("two records that turn out to be one call: who waited for the one is told of the other", async () => {
  const customer = await makeCustomer(one);
  const { callSid, conversationId, end } = await conversation(customer);
  const twilio = await customer.connect("twilio");
  await customer.post("/v1/calls", { provider: "elevenlabs", provider_call_id: conversationId });
  const ids = { [fixtureIds.callSid]: callSid, [fixtureIds.accountSid]: twilio.keyId };
  await twilio.given(fixture("twilio", "real/status.1-ringing.txt", ids));
  const calls = await customer.calls();
  const clients = await Promise.all(calls.map(() => openSocket(other.url, customer.key)));
  for (const [index, client] of clients.entries()) await client.subscribe(calls[index]?.id ?? "");
  expect(clients).toHaveLength(2);
  await end();
  for (const client of clients) expect(await client.until(({ type }) => type === "data")).toHaveLength(3);
  for (const client of clients) client.close();
});

test("a token in the first frame is as good as one in the opening; without one the connection ends", async () => {
  const customer = await makeCustomer(one);
  const client = await openSocket(one.url, null);
  client.send({ action: "authenticate", token: customer.key });
  expect(await client.until(1)).toEqual([{ type: "authenticated" }]);
  await client.subscribe("*");
  client.close();

  await customer.post("/v1/users", { external_id: randomToken("user"), name: "Dana" });
  const [user] = (await customer.get("/v1/users")).data;
  const person = await openSocket(one.url, userToken(known.jwtSecret, { sub: user.external_id }));
  await person.subscribe("*");
  person.close();

  for (const first of [
    { action: "subscribe", identifier: "*" },
    { action: "authenticate", token: "wrong" },
    "no json",
  ]) {
    const nobody = await openSocket(one.url, null);
    nobody.send(first);
    expect((await nobody.closed).code).toBe(1008);
    expect(nobody.frames).toMatchObject([{ type: "error" }]);
  }
});

test("a token that does not count, or may not listen, ends the connection with 1008, which a page can see", async () => {
  const customer = await makeCustomer(one);
  await customer.post("/v1/users", { external_id: randomToken("user"), name: "Dana" });
  const [user] = (await customer.get("/v1/users")).data;
  const deaf = await customer.post("/v1/api-keys", { name: "no calls", scopes: ["usage:read"] });
  const expired = userToken(known.jwtSecret, { sub: user.external_id, exp: 1 });
  for (const token of ["ac_dev_wrong", expired, deaf.key]) {
    const client = await openSocket(one.url, token);
    client.send({ action: "subscribe", identifier: "*" });
    expect(await client.closed).toEqual({ code: 1008, reason: "unauthorized" });
    expect([client.protocol, client.frames.length]).toEqual(["aftercall.v1", 1]);
    expect(client.frames).toMatchObject([{ type: "error", code: "unauthorized" }]);
  }
});

test("frames that nobody knows are answered by an error, and the connection goes on", async () => {
  const customer = await makeCustomer(one);
  const client = await openSocket(one.url, customer.key);
  const frames = [
    "{",
    "[]",
    "null",
    { action: "dance" },
    { action: "subscribe" },
    { action: "subscribe", identifier: 7 },
  ];
  for (const frame of [
    ...frames,
    { action: "subscribe", identifier: "x", more: 1 },
    { action: "authenticate", token: "t" },
  ]) {
    client.send(frame);
  }
  await client.until(8);
  expect(client.frames.map((frame) => (frame.type === "error" ? frame.code : frame.type))).toEqual([
    "malformed",
    "malformed",
    "malformed",
    "unknown_action",
    "malformed",
    "malformed",
    "malformed",
    "unknown_action",
  ]);
  await client.subscribe("*");
  client.send("x".repeat(70_000));
  expect((await client.closed).code).toBe(1009);
});
