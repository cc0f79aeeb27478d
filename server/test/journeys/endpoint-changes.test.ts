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
  customer = await makeCustomer(app);
  await customer.post("/v1/event-types", { name: "lead.qualified" });
  await customer.post("/v1/event-types", { name: "order.paid" });
});

const publish = (type: string) => customer.post("/v1/messages", { type, data: { city: "חיפה" } });

test.each([
  ["its types", { types: ["order.paid"] }],
  ["its filter", { filter: { "data.city": "Eilat" } }],
  ["its channels", { channels: ["vip"] }],
  ["its direction", { direction: "outbound" }],
])(
  "an endpoint that stops wanting a message between two attempts, by %s, still gets what was meant for it, and no more",
  async (_name, change) => {
    const before = receiver.received.length;
    const refused = Promise.withResolvers<void>();
    receiver.answer((_request, count) => {
      if (count > before + 1) return { status: 200 };
      return { status: 500, after: refused.promise };
    });
    const endpoint = await customer.subscribe(receiver, { types: ["lead.qualified"], schedule_ms: [1_000] });
    const first = await publish("lead.qualified");
    await receiver.waitFor(before + 1);
    expect((await customer.ask("PATCH", `/v1/endpoints/${endpoint.id}`, change)).status).toBe(200);
    refused.resolve();
    const [, again] = (await receiver.waitFor(before + 2)).slice(before);
    expect(again?.headers["webhook-id"]).toBe(first.id);
    expect(await publish("lead.qualified")).toMatchObject({ deliveries_count: 0, unrouted_reason: "filtered" });
    expect(receiver.received).toHaveLength(before + 2);
  },
);
