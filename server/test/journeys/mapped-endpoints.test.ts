import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, makeCustomer } from "../harness/customer.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";

let app: TestApp;
let receiver: Receiver;
let customer: Customer;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());
beforeEach(async () => {
  receiver = await startReceiver();
  customer = await makeCustomer(app);
  await customer.post("/v1/event-types", { name: "lead.qualified" });
  return () => receiver.close();
});

const steps = [
  { op: "mask", paths: ["data.phone"], keep_last: 2 },
  { op: "rename", names: { "data.phone": "phone", type: "event" } },
  { op: "pick", paths: ["event", "phone"] },
  { op: "constant", values: { source: "aftercall" } },
];
const lead = { type: "lead.qualified", data: { phone: "0501234567", name: "דנה לוי" } };
const mappedLead = { event: "lead.qualified", phone: "********67", source: "aftercall" };
const publish = () => customer.post("/v1/messages", lead);
const patch = (id: string, body: object) => customer.ask("PATCH", `/v1/endpoints/${id}`, body);

test("201: an endpoint gets what its mapping makes of a message, signed as it is sent, in every attempt the same", async () => {
  receiver.answer((_request, count) => ({ status: count === 1 ? 500 : 200 }));
  const endpoint = await customer.subscribe(receiver, { format: "mapped", mapping: { steps }, schedule_ms: [1_000] });
  expect(endpoint).toMatchObject({ format: "mapped", mapping: { over: "standard", steps } });
  const { id } = await publish();
  const [first, second] = await receiver.waitFor(2);
  const headers = Object.fromEntries(
    Object.entries(first?.headers ?? {}).map(([name, value]) => [name, String(value)]),
  );
  expect(new Webhook(endpoint.secret).verify(first?.body.toString() ?? "", headers)).toEqual(mappedLead);
  expect(second?.body).toEqual(first?.body);
  expect(first?.headers["webhook-id"]).toBe(id);
});

test("what an endpoint masks does not mask anything for another", async () => {
  await customer.subscribe(receiver, { format: "mapped", mapping: { steps } });
  const open = await startReceiver();
  await customer.subscribe(open);
  await publish();
  expect(JSON.parse(String((await open.waitFor(1))[0]?.body))).toMatchObject({ data: lead.data });
  expect(JSON.parse(String((await receiver.waitFor(1))[0]?.body))).toEqual(mappedLead);
  await open.close();
});

test("a mapping over CloudEvents keeps their content type", async () => {
  const mapping = { over: "cloudevents", steps: [{ op: "drop", paths: ["data.name"] }] };
  await customer.subscribe(receiver, { format: "mapped", mapping });
  await publish();
  const [sent] = await receiver.waitFor(1);
  expect(sent?.headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
  expect(JSON.parse(String(sent?.body))).toMatchObject({ specversion: "1.0", data: { phone: "0501234567" } });
});

test("a changed mask counts for what was accepted before the change", async () => {
  const mapping = { steps: [{ op: "drop", paths: ["data.name"] }] };
  const endpoint = await customer.subscribe(receiver, { format: "mapped", mapping, is_paused: true });
  await publish();
  expect(await patch(endpoint.id, { mapping: { steps }, is_paused: false })).toMatchObject({ status: 200 });
  expect(JSON.parse(String((await receiver.waitFor(1))[0]?.body))).toEqual(mappedLead);
});

test("what is kept in another format than the mapping is for is never sent unmasked: it is listed, and resent after a fix", async () => {
  const endpoint = await customer.subscribe(receiver, { is_paused: true });
  const { id } = await publish();
  const mapping = { over: "flat", steps: [{ op: "mask", paths: ["phone"] }] };
  await patch(endpoint.id, { format: "mapped", mapping, is_paused: false });
  const undelivered = () => customer.get(`/v1/undelivered?endpoint_id=${endpoint.id}`);
  await expect
    .poll(async () => (await undelivered()).data, { timeout: 60_000 })
    .toMatchObject([{ message_id: id, reason: "render_failed", attempt_count: 1 }]);
  expect(receiver.received).toEqual([]);
  const [{ id: delivery }] = (await undelivered()).data;
  expect((await customer.get(`/v1/deliveries/${delivery}`)).attempts).toMatchObject([{ class: "render", status: 0 }]);
  expect(await customer.get(`/v1/endpoints/${endpoint.id}/health`)).toMatchObject({ breaker: "closed" });
  await customer.post(`/v1/deliveries/${delivery}/resend`, {});
  expect(JSON.parse(String((await receiver.waitFor(1))[0]?.body))).toMatchObject({ event_type: "lead.qualified" });
});

test("200: a preview shows what would be sent of an example or a message, and which paths found nothing", async () => {
  await customer.subscribe(receiver);
  const { id } = await publish();
  const preview = (body: object) => customer.ask("POST", "/v1/mappings/preview", body);
  const { status, json } = await preview({ mapping: { steps }, message_id: id });
  expect([status, JSON.parse(json.body)]).toEqual([200, mappedLead]);
  expect(json).toMatchObject({ content_type: "application/json", bytes: json.body.length, unmatched: [] });
  const flat = await preview({
    mapping: { over: "flat", steps: [{ op: "pick", paths: ["city", "town"] }] },
    language: "he",
  });
  expect(flat).toMatchObject({ status: 200, json: { body: '{"city":"בית שאן"}', unmatched: ["0.paths.1"] } });
  const other = await makeCustomer(app);
  const foreign = await other.ask("POST", "/v1/mappings/preview", { mapping: { steps }, message_id: id });
  expect([foreign.status, foreign.json.errors[0].pointer]).toEqual([422, "/message_id"]);
});

test.each<[string, object, string]>([
  ["the format mapped without a mapping", { format: "mapped" }, "/mapping"],
  ["a mapping of an endpoint in another format", { mapping: { steps } }, "/mapping"],
  ["a step that does not exist", { format: "mapped", mapping: { steps: [{ op: "run" }] } }, "/mapping/steps/0/op"],
])("422: %s", async (_name, body, pointer) => {
  const { status, json } = await customer.ask("POST", "/v1/endpoints", { url: receiver.url, ...body });
  expect([status, json.errors[0].pointer]).toEqual([422, pointer]);
});

test("200: another format takes the mapping away, null goes back to the default", async () => {
  const { id } = await customer.subscribe(receiver, { format: "mapped", mapping: { steps } });
  expect(await patch(id, { mapping: null })).toMatchObject({ status: 422 });
  expect(await patch(id, { format: "flat" })).toMatchObject({ status: 200, json: { format: "flat", mapping: null } });
  expect(await patch(id, { format: "mapped", mapping: { over: "flat", steps } })).toMatchObject({
    json: { format: "mapped", mapping: { over: "flat" } },
  });
  expect(await patch(id, { format: null })).toMatchObject({ json: { format: "standard", mapping: null } });
});
