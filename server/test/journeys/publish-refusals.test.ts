import { afterAll, beforeAll, expect, test } from "vitest";

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

const leadQualified = {
  name: "lead.qualified",
  data_schema: { type: "object", required: ["name"], properties: { name: { type: "string" } } },
};

async function publish(customer: Customer, body: unknown, idempotencyKey?: string) {
  const headers = {
    authorization: `Bearer ${customer.key}`,
    "content-type": "application/json",
    ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
  };
  const answer = await fetch(`${app.url}/v1/messages`, { method: "POST", headers, body: JSON.stringify(body) });
  const json = (await answer.json()) as { id?: string; errors?: { pointer: string }[] };
  return { status: answer.status, pointers: json.errors?.map(({ pointer }) => pointer), id: json.id };
}

const listOf = async (customer: Customer) => (await customer.get("/v1/messages?limit=100")).data;

test.each([
  [{ data: {} }, "/type"],
  [{ type: "", data: {} }, "/type"],
  [{ type: "lead.lost", data: { name: "Dana" } }, "/type"],
  [{ type: "call.completed", data: { name: "Dana" } }, "/type"],
  [{ type: "lead.qualified" }, "/data"],
  [{ type: "lead.qualified", data: null }, "/data"],
  [{ type: "lead.qualified", data: "Dana" }, "/data"],
  [{ type: "lead.qualified", data: 1 }, "/data"],
  [{ type: "lead.qualified", data: ["Dana"] }, "/data"],
  [{ type: "lead.qualified", data: {} }, "/data/name"],
  [{ type: "lead.qualified", data: { name: 1 } }, "/data/name"],
])("422: a message %j is refused by %s, and nothing is stored", async (body, pointer) => {
  const customer = await makeCustomer(app);
  await customer.post("/v1/event-types", leadQualified);
  await customer.subscribe(receiver, { types: ["*"] });
  expect(await publish(customer, body)).toMatchObject({ status: 422, pointers: [pointer] });
  expect(await listOf(customer)).toEqual([]);
});

test.each([
  [{ type: 5 }, "/data_schema/type"],
  [{ type: "objekt" }, "/data_schema/type"],
  [{ properties: [] }, "/data_schema/properties"],
  [{ required: "name" }, "/data_schema/required"],
  [{ type: "object", pattern: "(a+)+$" }, "/data_schema/pattern"],
  [{ type: "object", $ref: "https://example.com/schema.json" }, "/data_schema/$ref"],
])(
  "422: an event type with the schema %j is refused by %s, when it is made and when it is changed",
  async (schema, at) => {
    const customer = await makeCustomer(app);
    const wrong = { data_schema: schema };
    const made = await customer.ask("POST", "/v1/event-types", { name: "lead.qualified", ...wrong });
    await customer.post("/v1/event-types", leadQualified);
    const changed = await customer.ask("PATCH", "/v1/event-types/lead.qualified", wrong);
    for (const { status, json } of [made, changed]) {
      const pointers = json.errors.map(({ pointer }: { pointer: string }) => pointer);
      expect([status, pointers]).toEqual([422, expect.arrayContaining([at])]);
    }
  },
);

test("a refusal is not kept under its Idempotency-Key: corrected, the same key publishes", async () => {
  const customer = await makeCustomer(app);
  const good = { type: "lead.qualified", data: { name: "דנה" } };
  expect((await publish(customer, good, "lead-1")).status).toBe(422);
  await customer.post("/v1/event-types", leadQualified);
  expect((await publish(customer, { ...good, data: {} }, "lead-1")).status).toBe(422);
  const published = await publish(customer, good, "lead-1");
  expect(published.status).toBe(202);
  expect(await publish(customer, good, "lead-1")).toEqual(published);
  expect(await listOf(customer)).toHaveLength(1);
});

test("a failure of ours is not kept under its Idempotency-Key: once the database is back the same key publishes", async () => {
  const customer = await makeCustomer(app);
  await customer.post("/v1/event-types", leadQualified);
  const good = { type: "lead.qualified", data: { name: "דנה" } };
  app.database.cut();
  expect((await publish(customer, good, "lead-1")).status).toBe(503);
  app.database.restore();
  await expect.poll(async () => (await publish(customer, good, "lead-1")).status, { timeout: 10_000 }).toBe(202);
  expect(await listOf(customer)).toHaveLength(1);
});
