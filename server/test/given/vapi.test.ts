import { createHmac } from "node:crypto";

import type { Call } from "@aftercall/contract/call.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, type Customer, type Line } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";

const path = "/api/webhooks/vapi";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

/** A customer with Vapi and one call that Vapi was told to make. */
async function withCall(): Promise<{ customer: Customer; vapi: Line; id: string; call: () => Promise<Call> }> {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const id = newUuid();
  const registered = await customer.post("/v1/calls", { provider: "vapi", provider_call_id: id });
  return { customer, vapi, id, call: () => customer.get(`/v1/calls/${registered.id}`) };
}

const given = (file: string, id: string) => fixture("vapi", `given/${file}.json`, { [fixtureIds.vapiCall]: id });

test.each([
  ["call.queued", "queued"],
  ["call.started", "queued"],
  ["call.ringing", "ringing"],
  ["call.answered", "in_progress"],
  ["call.ended", "ended"],
  ["call.failed", "failed"],
])("200: %s makes the call %s", async (type, status) => {
  const { vapi, id, call } = await withCall();
  expect((await vapi.given({ type, call: { id } })).said).toEqual([200, "OK"]);
  expect((await call()).status).toBe(status);
});

test("200: call.ended fills in what it carries, and what is absent or null later erases nothing", async () => {
  const { vapi, id, call } = await withCall();
  await vapi.given(given("call.ended", id));
  const ended = await call();
  expect(ended).toMatchObject({
    status: "ended",
    outcome: "completed",
    ended_reason: "customer-ended-call",
    ended_at: "2026-03-02T14:23:45.620Z",
    cost: { amount: "0.0429", currency: "USD" },
    recording: { status: "available" },
  });
  const empty = { id, endedAt: null, endedReason: null, cost: null, recordingUrl: null };
  await vapi.given({ id: "another-event", type: "call.ended", call: empty });
  const { version, updated_at, ...after } = await call();
  expect(after).toEqual({ ...ended, version: undefined, updated_at: undefined, ...after });
  expect([version, updated_at].every(Boolean)).toBe(true);
  expect(after.cost).toEqual(ended.cost);
  expect(after.ended_at).toBe(ended.ended_at);
});

test("200: events in any order end in the right status, and a final status stays", async () => {
  const { vapi, id, call } = await withCall();
  for (const type of ["call.answered", "call.ringing", "call.ended", "call.queued", "call.answered", "call.failed"]) {
    expect((await vapi.given({ id: newUuid(), type, call: { id } })).said).toEqual([200, "OK"]);
  }
  expect(await call()).toMatchObject({ status: "ended", outcome: null });
});

test("200: a type nobody knows is logged and changes no status", async () => {
  const { customer, vapi, id, call } = await withCall();
  await vapi.given({ type: "call.answered", call: { id } });
  expect((await vapi.given(given("unknown", id))).said).toEqual([200, "OK"]);
  expect((await call()).status).toBe("in_progress");
  expect((await customer.events()).map((event) => event.type)).toEqual(["call.answered", "call.teleported"]);
});

test("200: an unknown call is stored, shown as waiting, and applied when the call is registered", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const id = newUuid();
  expect((await vapi.given({ type: "call.ended", call: { id, endedReason: "customer-busy" } })).said).toEqual([
    200,
    "OK",
  ]);
  expect(await customer.calls()).toEqual([]);
  const [waiting] = await customer.events("waiting=true");
  expect(waiting).toMatchObject({ effect: "unmatched", is_waiting: true, call_id: null, type: "call.ended" });

  const call: Call = await customer.post("/v1/calls", { provider: "vapi", provider_call_id: id });
  expect(call).toMatchObject({ status: "ended" });
  expect(await customer.events("waiting=true")).toEqual([]);
  const detail = await customer.get(`/v1/events/${waiting?.id}`);
  expect(detail.applications).toMatchObject([{ cause: "matched", call_id: call.id, status_after: "ended" }]);
});

test("200: on the source's own URL an unknown call is made", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const id = newUuid();
  expect((await vapi.own({ type: "call.ringing", call: { id } })).said).toEqual([200, "OK"]);
  expect(await customer.calls()).toMatchObject([{ provider_call_id: id, status: "ringing" }]);
});

test("200: a repeat, also with another body, changes nothing and is counted", async () => {
  const { customer, vapi, id, call } = await withCall();
  const first = { type: "call.ended", call: { id, endedReason: "customer-ended-call", cost: 1 } };
  await vapi.given(first);
  await customer.settled();
  const before = await call();
  expect((await vapi.given(first)).said).toEqual([200, "OK"]);
  expect((await vapi.given({ ...first, call: { ...first.call, cost: 2 } })).said).toEqual([200, "OK"]);
  expect(await call()).toEqual(before);
  expect(await customer.events()).toMatchObject([{ seen_count: 3, differing_count: 1 }]);
});

test("200: 100 copies of one event at once have one effect", async () => {
  const { customer, vapi, id, call } = await withCall();
  const sent = { type: "call.ended", call: { id, endedReason: "customer-ended-call" } };
  const answers = await Promise.all(Array.from({ length: 100 }, () => vapi.given(sent)));
  expect(new Set(answers.map(({ said }) => said.join()))).toEqual(new Set(["200,OK"]));
  expect(await customer.events()).toMatchObject([{ seen_count: 100, differing_count: 0 }]);
  await customer.settled();
  // One for the end, one for what the pipeline noted of it.
  expect(await call()).toMatchObject({ status: "ended", version: 3 });
});

test("200: Vapi's own envelope comes to the same route: status updates and the report", async () => {
  const { customer, vapi, id, call } = await withCall();
  const own = (file: string) => fixture("vapi", `real/${file}.json`, { [fixtureIds.vapiCall]: id });
  for (const [file, status] of [
    ["status-update.ringing", "ringing"],
    ["status-update.in-progress", "in_progress"],
    ["status-update.ended", "ended"],
  ] as const) {
    expect((await vapi.given(own(file))).said).toEqual([200, "OK"]);
    expect((await call()).status).toBe(status);
  }
  expect((await vapi.given(own("end-of-call-report"))).said).toEqual([200, "OK"]);
  expect((await vapi.given(own("end-of-call-report.retry-different-bytes"))).said).toEqual([200, "OK"]);
  expect(await call()).toMatchObject({
    status: "ended",
    outcome: "completed",
    duration_ms: 26_500,
    cost: { amount: "0.0429", currency: "USD" },
    city: "בית שאן",
  });
  const events = await customer.events();
  expect(events.at(-1)).toMatchObject({ type: "end-of-call-report", seen_count: 2, differing_count: 1 });
});

test("200: a message that asks for something gets the configured JSON", async () => {
  const customer = await makeCustomer(app);
  const asked = { assistantId: "asst_1" };
  const vapi = await customer.connect("vapi", { setup: { answers: { "assistant-request": asked } } });
  const answer = await vapi.given(fixture("vapi", "real/assistant-request.json"));
  expect([answer.status, JSON.parse(answer.text), answer.headers.get("content-type")]).toEqual([
    200,
    asked,
    "application/json; charset=utf-8",
  ]);
  expect((await vapi.given(fixture("vapi", "real/campaign.predial.json"))).said).toEqual([200, "{}"]);
});

test("200: each of Vapi's credentials counts: x-vapi-secret, x-webhook-secret, bearer", async () => {
  const { vapi, id } = await withCall();
  const body = JSON.stringify({ type: "call.ringing", call: { id } });
  for (const credential of [
    { "x-vapi-secret": vapi.secret },
    { "x-webhook-secret": vapi.secret },
    { authorization: `Bearer ${vapi.secret}` },
  ]) {
    const headers = { "content-type": "application/json", ...credential };
    expect((await app.post(path, { headers, body })).said).toEqual([200, "OK"]);
  }
});

test("200: an HMAC plan as in Vapi's dashboard; 401 five minutes later", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi", { setup: { credentials: ["hmac"] } });
  const body = JSON.stringify({ message: { type: "hang", call: { id: newUuid() } } });
  const signed = (timestamp: number) => ({
    "content-type": "application/json",
    "x-timestamp": String(timestamp),
    "x-signature": createHmac("sha256", vapi.secret).update(`${timestamp}.${body}`).digest("hex"),
  });
  const now = Math.floor(Date.now() / 1000);
  expect((await app.post(path, { headers: signed(now), body })).said).toEqual([200, "OK"]);
  expect((await app.post(path, { headers: signed(now - 400), body })).said).toEqual([401, "Unauthorized"]);
  expect(await customer.quarantine()).toMatchObject([{ reason: "timestamp_stale" }]);
});

test("401: a missing or wrong secret; nothing is stored, and the wrong one is quarantined", async () => {
  const { customer, vapi, id, call } = await withCall();
  const body = JSON.stringify({ type: "call.ended", call: { id } });
  const headers = { "content-type": "application/json" };
  const own = `/webhooks/${vapi.source.slug}`;
  for (const url of [path, own]) {
    expect((await app.post(url, { headers, body })).said).toEqual([401, "Unauthorized"]);
    const wrong = { ...headers, "x-vapi-secret": `${vapi.secret}x` };
    expect((await app.post(url, { headers: wrong, body })).said).toEqual([401, "Unauthorized"]);
    const mixed = { ...headers, "x-vapi-secret": vapi.secret, authorization: "Bearer wrong" };
    expect((await app.post(url, { headers: mixed, body })).said).toEqual([401, "Unauthorized"]);
  }
  expect((await call()).status).toBe("queued");
  expect(await customer.events()).toEqual([]);
  const reasons = (await customer.quarantine()).map((row) => `${row.route} ${row.reason}`);
  expect(reasons).toContain("own bad_signature");
});

test.each([
  ["no JSON", "{"],
  ["an array", "[]"],
  ["a duplicate key", '{"type":"call.ended","type":"call.failed","call":{"id":"a"}}'],
  ["no type", '{"call":{"id":"a"}}'],
  ["no call", '{"type":"call.ended"}'],
  ["no id of the call", '{"type":"call.ended","call":{}}'],
])("400: %s; nothing is stored but a quarantined request", async (_name, body) => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  expect((await vapi.given(body)).said).toEqual([400, "Bad Request"]);
  expect(await customer.events()).toEqual([]);
  expect(await customer.quarantine()).toMatchObject([{ reason: "malformed", route: "given" }]);
});

test("500 on the given route and 503 on the own: the database is away; the repeat is taken in", async () => {
  const { customer, vapi, id, call } = await withCall();
  const sent = { type: "call.ended", call: { id } };
  await vapi.given({ type: "call.ringing", call: { id } });
  app.database.cut();
  const answer = await vapi.given(sent);
  expect(answer.said).toEqual([500, "Error"]);
  expect(answer.headers.get("retry-after")).toBe("5");
  const own = await vapi.own(sent);
  expect([own.status, own.headers.get("retry-after")]).toEqual([503, "5"]);
  app.database.restore();
  expect((await vapi.given(sent)).said).toEqual([200, "OK"]);
  expect((await call()).status).toBe("ended");
  expect((await customer.events()).map((event) => event.type)).toEqual(["call.ringing", "call.ended"]);
});

test("500: the database is away before the source is known", async () => {
  const { vapi, id } = await withCall();
  app.database.cut();
  const answer = await vapi.given({ type: "call.ended", call: { id } });
  app.database.restore();
  expect(answer.said).toEqual([500, "Error"]);
});

test("404: no source has the URL. 405: only POST is a webhook. 413, 415: too large, and no JSON", async () => {
  const { vapi } = await withCall();
  expect((await app.post("/webhooks/no-such-source", vapi.sign({}))).status).toBe(404);
  expect((await app.get(path)).status).toBe(405);
  expect((await vapi.given(`{"type":"${"x".repeat(10_000_001)}"}`)).status).toBe(413);
  const headers = { ...vapi.sign("").headers, "content-type": "text/plain" };
  expect((await app.post(path, { headers, body: "{}" })).status).toBe(415);
});
