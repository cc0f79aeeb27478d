import type { Call } from "@aftercall/contract/call.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newCallSid, randomToken } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";
import { signElevenlabs } from "../harness/sign.ts";

const path = "/webhooks/elevenlabs/post-call";
const unauthorized = '{"detail":"Unauthorized"}';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

/** A customer with ElevenLabs and one conversation that was begun. */
async function withCall(callSid?: string) {
  const customer = await makeCustomer(app);
  const elevenlabs = await customer.connect("elevenlabs");
  const conversation = `conv_${randomToken("x")}`;
  const registered: Call = await customer.post("/v1/calls", {
    provider: "elevenlabs",
    provider_call_id: conversation,
    ...(callSid && { call_sid: callSid }),
  });
  const call = (): Promise<Call> => customer.get(`/v1/calls/${registered.id}`);
  return { customer, elevenlabs, conversation, call };
}

const transcription = (conversation: string) =>
  fixture("elevenlabs", "given/post_call_transcription.json", { conv_abc123: conversation });
const initiationFailure = (conversation: string, callSid = newCallSid()) =>
  fixture("elevenlabs", "given/call_initiation_failure.json", {
    conv_fail123: conversation,
    CA00000000000000000000000000000001: callSid,
  });

test("200: a transcription completes the call with everything in it", async () => {
  const { customer, elevenlabs, conversation, call } = await withCall();
  const answer = await elevenlabs.given(transcription(conversation));
  expect(answer.said).toEqual([200, `{"conversation_id":"${conversation}","call_sid":null,"call_status":"COMPLETED"}`]);
  expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(await call()).toMatchObject({
    status: "ended",
    outcome: "completed",
    duration_ms: 45_000,
    // Start and length, exact and in UTC; the event's own timestamp comes after.
    ended_at: "2025-11-21T11:59:55.000Z",
    summary: "Driver asked about a delivery.",
    analysis: { call_successful: "success", transcript_summary: "Driver asked about a delivery." },
  });
  const { id } = await call();
  expect((await customer.get(`/v1/calls/${id}/transcript`)).turns).toMatchObject([
    { role: "agent", text: "Hello, how can I help?" },
    { role: "customer", text: "I have a delivery question." },
  ]);
});

test("200: the call's CallSid is in the answer, whoever knew it", async () => {
  const callSid = newCallSid();
  const { elevenlabs, conversation } = await withCall(callSid);
  const body = transcription(conversation);
  const wanted = `{"conversation_id":"${conversation}","call_sid":"${callSid}","call_status":"COMPLETED"}`;
  expect((await elevenlabs.given(body)).said).toEqual([200, wanted]);
  expect((await elevenlabs.given(body)).said).toEqual([200, wanted]);
});

test("200: a failed initiation fails the call at the time it names", async () => {
  const callSid = newCallSid();
  const { elevenlabs, conversation, call } = await withCall();
  expect((await elevenlabs.given(initiationFailure(conversation, callSid))).said).toEqual([
    200,
    `{"conversation_id":"${conversation}","call_sid":"${callSid}","call_status":"FAILED"}`,
  ]);
  expect(await call()).toMatchObject({
    status: "ended",
    outcome: "no_answer",
    ended_at: "2025-11-21T12:00:00.000Z",
    ended_reason: "no-answer",
  });
});

test("200: a conversation that failed is FAILED", async () => {
  const { elevenlabs, conversation, call } = await withCall();
  const body = fixture("elevenlabs", "real/post_call_transcription.status-failed.json", {
    conv_fail_0001: conversation,
    [fixtureIds.callSid]: newCallSid(),
  });
  expect(JSON.parse((await elevenlabs.given(body)).text)).toMatchObject({ call_status: "FAILED" });
  expect(await call()).toMatchObject({ status: "failed", outcome: "failed" });
});

test("200: the first final report stays; later ones still enrich", async () => {
  const { elevenlabs, conversation, call } = await withCall();
  await elevenlabs.given(initiationFailure(conversation));
  const answer = await elevenlabs.given(transcription(conversation));
  expect(answer.status).toBe(200);
  const both = await call();
  expect(both.summary).toBe("Driver asked about a delivery.");
  expect(JSON.parse(answer.text).call_status).toBe(both.outcome === "no_answer" ? "FAILED" : "COMPLETED");
});

test("200: a repeat gets the same answer and changes nothing, also with another body", async () => {
  const { customer, elevenlabs, conversation, call } = await withCall();
  const body = transcription(conversation);
  const first = await elevenlabs.given(body);
  await customer.settled();
  const before = await call();
  expect((await elevenlabs.given(body)).said).toEqual(first.said);
  expect((await elevenlabs.given(body.replace("delivery", "parcel"))).said).toEqual(first.said);
  expect(await call()).toEqual(before);
  expect(await customer.events()).toMatchObject([{ seen_count: 3, differing_count: 1 }]);
});

test("200: the audio is attached and leaves the status alone", async () => {
  const { elevenlabs, conversation, call } = await withCall();
  const body = fixture("elevenlabs", "real/post_call_audio.json").replace(/conv_\w+/, conversation);
  expect((await elevenlabs.given(body)).said).toEqual([
    200,
    `{"conversation_id":"${conversation}","call_sid":null,"call_status":"PENDING"}`,
  ]);
  expect(await call()).toMatchObject({ status: "queued", recording: { status: "available" } });
});

test("200: events of the workspace are recorded and ignored", async () => {
  const { customer, elevenlabs } = await withCall();
  const answer = await elevenlabs.given(fixture("elevenlabs", "real/unrelated.voice_removal_notice.json"));
  expect(answer.said).toEqual([200, '{"status":"ignored","event_type":"voice_removal_notice"}']);
  expect(await customer.events()).toMatchObject([{ type: "voice_removal_notice", effect: "recorded" }]);
});

test.each([
  ["malformed JSON", "{", "The body is not valid JSON"],
  [
    "no conversation_id",
    fixture("elevenlabs", "given/missing-conversation-id.json"),
    "Missing required field: conversation_id",
  ],
  ["no type", '{"event_timestamp":1763726400,"data":{}}', "Missing required field: type"],
  ["no data", '{"type":"post_call_transcription"}', "Missing required field: data"],
])("400: %s", async (_name, body, detail) => {
  const { customer, elevenlabs } = await withCall();
  const answer = await elevenlabs.given(body);
  expect(answer.said).toEqual([400, JSON.stringify({ detail })]);
  expect(await customer.quarantine()).toMatchObject([{ reason: "malformed" }]);
});

test("400: a type nobody knows, on the given route only; it is stored either way", async () => {
  const { customer, elevenlabs } = await withCall();
  const body = fixture("elevenlabs", "given/unknown-type.json");
  expect((await elevenlabs.given(body)).said).toEqual([400, '{"detail":"Unknown event type: something_else"}']);
  expect((await elevenlabs.own(body)).status).toBe(200);
  expect(await customer.events()).toMatchObject([{ type: "something_else", seen_count: 2 }]);
});

test("401: no signature, a wrong one, one of another body; nothing is stored", async () => {
  const { customer, elevenlabs, conversation, call } = await withCall();
  const body = transcription(conversation);
  const plain = { "content-type": "application/json" };
  expect((await app.post(path, { headers: plain, body })).said).toEqual([401, unauthorized]);
  expect((await app.post(path, signElevenlabs("wrong", body))).said).toEqual([401, unauthorized]);
  const { headers } = elevenlabs.sign(body);
  expect((await app.post(path, { headers, body: `${body} ` })).said).toEqual([401, unauthorized]);
  expect((await call()).status).toBe("queued");
  expect(await customer.events()).toEqual([]);
});

test("401: half an hour after it was signed; kept in the quarantine", async () => {
  const { customer, elevenlabs, conversation } = await withCall();
  const stale = signElevenlabs(elevenlabs.secret, transcription(conversation), Date.now() - 31 * 60_000);
  expect((await app.post(path, stale)).said).toEqual([401, unauthorized]);
  expect(await customer.quarantine()).toMatchObject([{ reason: "timestamp_stale", replayed_at: null }]);
});

test("404: an unknown conversation, by its name; the event is kept and applied when the call is registered", async () => {
  const customer = await makeCustomer(app);
  const elevenlabs = await customer.connect("elevenlabs");
  const conversation = `conv_${randomToken("x")}`;
  const notFound = `{"detail":"Call not found for conversation_id: ${conversation}"}`;
  expect((await elevenlabs.given(transcription(conversation))).said).toEqual([404, notFound]);
  expect((await elevenlabs.given(transcription(conversation))).said).toEqual([404, notFound]);
  expect(await customer.events("waiting=true")).toMatchObject([{ effect: "unmatched", seen_count: 2 }]);
  expect(await customer.calls()).toEqual([]);

  const call: Call = await customer.post("/v1/calls", { provider: "elevenlabs", provider_call_id: conversation });
  expect(call).toMatchObject({ status: "ended", outcome: "completed", duration_ms: 45_000 });
  expect(await customer.events("waiting=true")).toEqual([]);
  expect((await elevenlabs.given(transcription(conversation))).status).toBe(200);
});

test("200: on the own URL, or where the source says so, an unknown conversation is made", async () => {
  const customer = await makeCustomer(app);
  const elevenlabs = await customer.connect("elevenlabs");
  const [first, second] = [`conv_${randomToken("a")}`, `conv_${randomToken("b")}`];
  expect((await elevenlabs.own(transcription(first))).said).toEqual([
    200,
    `{"conversation_id":"${first}","call_sid":null,"call_status":"COMPLETED"}`,
  ]);
  await customer.ask("PATCH", `/v1/sources/${elevenlabs.source.id}`, { given_routes_create: true });
  expect((await elevenlabs.given(transcription(second))).status).toBe(200);
  expect((await customer.calls()).map((call) => call.provider_call_id)).toEqual([second, first]);
});

test("500: the database is away, never 200; 503 on the own URL; the repeat is taken in", async () => {
  const { elevenlabs, conversation, call } = await withCall();
  const body = transcription(conversation);
  app.database.cut();
  const cold = await elevenlabs.given(body);
  const warm = await elevenlabs.given(body);
  const own = await elevenlabs.own(body);
  app.database.restore();
  for (const answer of [cold, warm]) {
    expect(answer.said).toEqual([500, '{"detail":"Internal server error"}']);
    expect(answer.headers.get("retry-after")).toBe("5");
  }
  expect([own.status, own.headers.get("retry-after")]).toEqual([503, "5"]);
  expect((await elevenlabs.given(body)).status).toBe(200);
  expect((await call()).status).toBe("ended");
});
