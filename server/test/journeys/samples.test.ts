import { eventTypes } from "@aftercall/contract/events.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, type Customer } from "../harness/customer.ts";
import { startReceiver } from "../harness/receiver.ts";
import { reportedCall } from "../harness/reported-call.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const samples = (customer: Customer, query: string) => customer.get(`/v1/messages/samples?type=${query}`);

test("of somebody without calls samples are the examples of the catalogue, in either format and language", async () => {
  const customer = await makeCustomer(app);
  for (const language of ["en", "he"] as const) {
    const { data, origin } = await samples(customer, `call.completed&language=${language}`);
    expect([origin, data]).toMatchObject(["example", [{ type: "call.completed" }]]);
    expect(data[0].data).toEqual(JSON.parse(JSON.stringify(eventTypes["call.completed"].examples[language].data)));
  }
  const { data } = await samples(customer, "call.completed&format=flat");
  expect(Object.keys(data[0])).toHaveLength(17);
});

test("after a call samples are what its receivers got, and what they would have got where nobody was subscribed", async () => {
  const [receiver, customer, stranger] = [await startReceiver(), await makeCustomer(app), await makeCustomer(app)];
  await customer.subscribe(receiver, { types: ["call.completed"] });
  const callId = await reportedCall(customer);
  const [sent] = await receiver.waitFor(1);
  const standard = await samples(customer, "call.completed");
  expect(standard).toEqual({ data: [JSON.parse(sent?.body.toString() ?? "")], origin: "messages" });
  const flat = await samples(customer, "call.completed&format=flat");
  expect([flat.origin, Object.keys(flat.data[0]).length]).toEqual(["messages", 17]);
  const unheard = await samples(customer, "call.ended");
  expect([unheard.origin, unheard.data]).toMatchObject(["messages", [{ data: { call: { id: callId } } }]]);
  expect((await samples(stranger, "call.completed")).origin).toBe("example");
  await receiver.close();
});

test("of a type of one's own samples are the newest three messages, and before the first its example", async () => {
  const customer = await makeCustomer(app);
  await customer.post("/v1/event-types", { name: "lead.qualified", examples: { one: { name: "Dana" } } });
  expect(await samples(customer, "lead.qualified")).toMatchObject({
    data: [{ data: { name: "Dana" } }],
    origin: "example",
  });
  for (const n of [1, 2, 3, 4]) await customer.post("/v1/messages", { type: "lead.qualified", data: { n } });
  const { data, origin } = await samples(customer, "lead.qualified");
  expect([origin, data.map((sample: { data: { n: number } }) => sample.data.n)]).toEqual(["messages", [4, 3, 2]]);
});

test("a message whose payload was removed is no sample", async () => {
  const customer = await makeCustomer(app);
  await customer.post("/v1/event-types", { name: "lead.qualified" });
  const { id } = await customer.post("/v1/messages", { type: "lead.qualified", data: { n: 1 } });
  expect((await customer.ask("DELETE", `/v1/messages/${id}/payload?reason=asked`)).status).toBeLessThan(300);
  expect((await samples(customer, "lead.qualified")).origin).toBe("example");
});

test("422: a type that does not exist, and no type", async () => {
  const customer = await makeCustomer(app);
  const unknown = await customer.ask("GET", "/v1/messages/samples?type=lead.unheard");
  expect([unknown.status, unknown.json.errors]).toMatchObject([422, [{ pointer: "?type" }]]);
  expect((await customer.ask("GET", "/v1/messages/samples")).status).toBe(422);
});
