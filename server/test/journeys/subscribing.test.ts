import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, makeCustomer } from "../harness/customer.ts";
import { type Receiver, startReceiver } from "../harness/receiver.ts";

/* The steps of n8n (create, checkExists, delete), Zapier (performSubscribe, performList, performUnsubscribe) and Make. */

let app: TestApp;
let receiver: Receiver;
let customer: Customer;
beforeAll(async () => {
  [app, receiver] = await Promise.all([startTestApp(), startReceiver()]);
  customer = await makeCustomer(app);
  await customer.post("/v1/event-types", { name: "lead.qualified" });
});
afterAll(async () => {
  await receiver.close();
  await app.stop();
});

const publish = (score: number) => customer.post("/v1/messages", { type: "lead.qualified", data: { score } });

test("subscribe by URL, types and filter, take what is signed with the secret of the answer, and unsubscribe", async () => {
  const subscription = { url: receiver.url, filter: { "data.score": { $gte: 50 } } };
  const made = await customer.ask("POST", "/v1/endpoints", { ...subscription, types: ["lead.qualified"] });
  expect(made.status).toBe(201);
  const { id, secret } = made.json;
  expect(await customer.get(`/v1/endpoints/${id}`)).toMatchObject({ url: receiver.url, is_enabled: true });

  await publish(10);
  await publish(80);
  const [received, ...more] = await receiver.waitFor(1);
  const headers = Object.fromEntries(Object.entries(received?.headers ?? {}).map(([name, v]) => [name, String(v)]));
  const body = new Webhook(secret).verify(received?.body.toString() ?? "", headers);
  expect([body, more]).toMatchObject([{ type: "lead.qualified", data: { score: 80 } }, []]);
  expect((await customer.get("/v1/messages/samples?type=lead.qualified")).data[0]).toEqual(body);

  expect((await customer.ask("DELETE", `/v1/endpoints/${id}`)).status).toBe(200);
  expect((await customer.ask("GET", `/v1/endpoints/${id}`)).status).toBe(404);
  expect((await customer.ask("DELETE", `/v1/endpoints/${id}`)).status).toBe(404);
  expect(await publish(90)).toMatchObject({ unrouted_reason: "no_endpoint", deliveries_count: 0 });
});

test.each([
  ["with a body of no field", "{}"],
  ["with the content type of a body and none", undefined],
])("unsubscribing %s, as tools send it, is unsubscribing", async (_what, body) => {
  const { id } = await customer.subscribe(receiver, { events: ["lead.qualified"] });
  const headers = { authorization: `Bearer ${customer.key}`, "content-type": "application/json" };
  const answer = await fetch(`${app.url}/v1/endpoints/${id}`, { method: "DELETE", headers, ...(body && { body }) });
  expect(answer.status).toBe(200);
});

test("403 and 2xx: a key with the scopes of the guide can do these steps and no others", async () => {
  const scopes = ["endpoints:write", "endpoints:read", "messages:read"];
  const { key } = await customer.post("/v1/api-keys", { name: "zapier", role: "admin", scopes });
  const ask = (method: string, path: string, body?: unknown) => app.ask(key, method, path, body);
  const { status, json } = await ask("POST", "/v1/endpoints", { url: receiver.url, types: ["lead.qualified"] });
  expect(status).toBe(201);
  expect((await ask("GET", "/v1/whoami")).status).toBe(200);
  expect((await ask("GET", `/v1/endpoints/${json.id}`)).status).toBe(200);
  expect((await ask("GET", "/v1/messages/samples?type=call.completed&format=flat")).status).toBe(200);
  expect((await ask("DELETE", `/v1/endpoints/${json.id}`)).status).toBe(200);
  expect((await ask("GET", "/v1/calls")).status).toBe(403);
});
