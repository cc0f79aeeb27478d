import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, makeCustomer } from "../harness/customer.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";

let app: TestApp;
let receiver: Receiver;
beforeAll(async () => {
  [app, receiver] = await Promise.all([startTestApp(), startReceiver()]);
});
afterAll(async () => {
  await receiver.close();
  await app.stop();
});

let customer: Customer;
beforeEach(async () => {
  receiver.answer({ status: 200, body: "thanks" });
  customer = await makeCustomer(app);
});

const tryOut = (id: string, body: object = {}) => customer.ask("POST", `/v1/endpoints/${id}/test`, body);
const latest = () => receiver.received.at(-1);

test("200: an example comes at once, signed, marked as a test, in the endpoint's format, and the answer is shown", async () => {
  const endpoint = await customer.subscribe(receiver, { headers: { "X-Api-Key": "of-mine" } });
  const { status, json } = await tryOut(endpoint.id, { type: "call.ended", language: "he" });
  const [sent] = receiver.received.slice(-1);
  const headers = Object.fromEntries(Object.entries(sent?.headers ?? {}).map(([name, value]) => [name, String(value)]));
  expect(headers).toMatchObject({ "aftercall-test": "true", "webhook-id": json.message_id, "x-api-key": "of-mine" });
  const message = new Webhook(endpoint.secret).verify(sent?.body.toString() ?? "", headers);
  expect(message).toMatchObject({ type: "call.ended", data: { call: { city: "בית שאן" } } });
  expect([status, json]).toMatchObject([
    200,
    { type: "call.ended", status: 200, class: "ok", error: null, response_body: "thanks", url: receiver.url },
  ]);
  expect(json.request_headers["X-Api-Key"]).not.toContain("of-mine");
  for (const [format, key] of [
    ["flat", "event_type"],
    ["cloudevents", "specversion"],
  ] as const) {
    await customer.ask("PATCH", `/v1/endpoints/${endpoint.id}`, { format });
    expect((await tryOut(endpoint.id)).json.class).toBe("ok");
    expect(JSON.parse(latest()?.body.toString() ?? "")).toHaveProperty(key);
  }
});

test("200: of a type of one's own the example is sent that it was made with; the first type named is the usual one", async () => {
  const examples = { en: { name: "Dana" }, he: { name: "דנה" } };
  await customer.post("/v1/event-types", { name: "lead.qualified", examples });
  const endpoint = await customer.subscribe(receiver, { types: ["call.*", "lead.qualified"] });
  await tryOut(endpoint.id, { language: "he" });
  expect(JSON.parse(latest()?.body.toString() ?? "")).toMatchObject({ type: "lead.qualified", data: { name: "דנה" } });
});

test("200: a test that fails says how, is tried once, is listed nowhere, and harms no endpoint, however often", async () => {
  receiver.answer({ status: 500, body: "no" });
  const endpoint = await customer.subscribe(receiver, { schedule_ms: [1_000], timeout_ms: 1_000 });
  const before = receiver.received.length;
  for (let n = 0; n < 12; n++) {
    expect((await tryOut(endpoint.id)).json).toMatchObject({ class: "http_5xx", status: 500, response_body: "no" });
  }
  receiver.answer({ status: 410 });
  expect((await tryOut(endpoint.id)).json).toMatchObject({ class: "gone", status: 410 });
  receiver.answer("hang");
  expect((await tryOut(endpoint.id)).json).toMatchObject({ class: "timeout", status: 0, response_headers: null });
  expect(receiver.received).toHaveLength(before + 14);

  // Neither the breaker nor the 410 counted: a message goes out at once.
  receiver.answer({ status: 200 });
  expect(await customer.get(`/v1/endpoints/${endpoint.id}`)).toMatchObject({ is_enabled: true });
  await customer.post("/v1/event-types", { name: "lead.qualified" });
  await customer.post("/v1/messages", { type: "lead.qualified", data: {} });
  expect(await receiver.waitFor(before + 15)).toHaveLength(before + 15);
  expect((await customer.get("/v1/messages")).data).toHaveLength(1);
  expect((await customer.get("/v1/undelivered")).data).toEqual([]);
});

test("200: an address that is not allowed is refused like a closed port", async () => {
  const endpoint = await customer.subscribe(receiver);
  await app.db.inTransaction([customer.tenantId], (tx) =>
    tx.run("update endpoints set url = 'http://10.0.0.1/' where tenant_id = $1", [customer.tenantId]),
  );
  expect((await tryOut(endpoint.id)).json).toMatchObject({ class: "connect", status: 0, request_headers: null });
});

test("404: another tenant's endpoint; 422: a type that nobody has", async () => {
  const endpoint = await customer.subscribe(receiver);
  const unknown = await tryOut(endpoint.id, { type: "lead.unheard" });
  expect([unknown.status, unknown.json.errors[0].pointer]).toEqual([422, "/type"]);
  customer = await makeCustomer(app);
  expect((await tryOut(endpoint.id)).status).toBe(404);
});
