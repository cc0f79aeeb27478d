import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, makeCustomer } from "../harness/customer.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";

let app: TestApp;
let receiver: Receiver;
let operations: Receiver;
beforeAll(async () => {
  [app, receiver, operations] = await Promise.all([startTestApp(), startReceiver(), startReceiver()]);
});
afterAll(async () => {
  await Promise.all([receiver.close(), operations.close()]);
  await app.stop();
});

let customer: Customer;
beforeEach(async () => {
  customer = await makeCustomer(app);
  await customer.post("/v1/event-types", { name: "lead.qualified" });
});

const publish = () => customer.post("/v1/messages", { type: "lead.qualified", data: {} });
const healthOf = (id: string) => customer.get(`/v1/endpoints/${id}/health`);
const sum = async (path: string) => (await customer.get(path)).data.length;

test("an endpoint that fails opens its breaker, which is seen and told; what comes then is parked, not tried", async () => {
  const told = await customer.subscribe(operations, { kind: "operational", types: ["endpoint.breaker_opened"] });
  const endpoint = await customer.subscribe(receiver, { types: ["lead.*"], in_flight_max: 20, schedule_ms: [60_000] });
  expect(await healthOf(endpoint.id)).toEqual({
    breaker: "closed",
    breaker_open_until: null,
    throttled_until: null,
    in_flight: 0,
    recent: { attempts: 0, failures: 0 },
    failed_count: 0,
    first_failed_at: null,
    last_failed_at: null,
    last_succeeded_at: null,
  });
  receiver.answer({ status: 500 });
  const before = receiver.received.length;
  for (let n = 0; n < 10; n++) await publish();
  await expect.poll(async () => (await healthOf(endpoint.id)).breaker, { timeout: 15_000 }).toBe("open");
  const health = await healthOf(endpoint.id);
  expect(health).toMatchObject({ in_flight: 0, recent: { attempts: 10, failures: 10 }, failed_count: 10 });
  expect(Date.parse(health.breaker_open_until) - Date.now()).toBeGreaterThan(0);

  await publish();
  await publish();
  await expect.poll(() => sum(`/v1/held?endpoint_id=${endpoint.id}&cause=breaker`), { timeout: 15_000 }).toBe(12);
  expect(receiver.received).toHaveLength(before + 10);
  const [news] = await operations.waitFor(1);
  const headers = Object.fromEntries(Object.entries(news?.headers ?? {}).map(([name, value]) => [name, String(value)]));
  expect(new Webhook(told.secret).verify(news?.body.toString() ?? "", headers)).toMatchObject({
    type: "endpoint.breaker_opened",
    data: { endpoint: { id: endpoint.id } },
  });
});

test("a receiver that asks for a pause has it: it is seen until when, and nothing is sent before", async () => {
  const endpoint = await customer.subscribe(receiver, { types: ["lead.*"] });
  receiver.answer({ status: 429, headers: { "retry-after": "60" } });
  const before = receiver.received.length;
  await publish();
  await expect.poll(async () => (await healthOf(endpoint.id)).throttled_until, { timeout: 15_000 }).not.toBeNull();
  const { throttled_until: until } = await healthOf(endpoint.id);
  expect(Date.parse(until) - Date.now()).toBeGreaterThan(30_000);
  await publish();
  await expect.poll(() => sum(`/v1/held?endpoint_id=${endpoint.id}&cause=throttled`)).toBe(2);
  expect(receiver.received).toHaveLength(before + 1);
});

test("404: another tenant's endpoint", async () => {
  const endpoint = await customer.subscribe(receiver);
  customer = await makeCustomer(app);
  expect((await customer.ask("GET", `/v1/endpoints/${endpoint.id}/health`)).status).toBe(404);
});
