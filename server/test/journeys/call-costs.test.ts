import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, type Customer } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";
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

const platform = {
  component: "platform",
  provider: "vapi",
  model: null,
  quantity: "26502",
  unit: "ms",
  money: { amount: "0.0221", currency: "USD" },
  source: "provider",
  price_version: null,
};
const ours = {
  component: "llm",
  provider: "openai",
  model: "gpt-4o-mini",
  quantity: "2000",
  unit: "input_token",
  money: { amount: "0.0003", currency: "USD" },
  source: "estimated",
  price_version: "2026-11",
};

async function reported(customer: Customer): Promise<string> {
  const vapi = await customer.connect("vapi");
  await vapi.own(fixture("vapi", "real/end-of-call-report.json", { [fixtureIds.vapiCall]: newUuid() }));
  await customer.settled();
  return (await customer.calls())[0]?.id ?? "";
}

test("what the provider charges stands line by line beside what our engines came to, and nothing is counted twice", async () => {
  const customer = await makeCustomer(app);
  const id = await reported(customer);
  await app.db.inTransaction([customer.tenantId], (tx) =>
    tx.run(
      `insert into engine_costs (tenant_id, id, call_id, step, provider, model, unit, quantity, amount, currency, price_version)
       select $1, gen_random_uuid(), id, 'summarise', 'openai', 'gpt-4o-mini', 'input_token', 1000, 0.00015, 'USD', '2026-11'
         from calls, generate_series(1, 2) where tenant_id = $1`,
      [customer.tenantId],
    ),
  );
  const costs = await customer.get(`/v1/calls/${id}/costs`);
  expect(costs.data).toContainEqual(platform);
  expect(costs.data.at(-1)).toEqual(ours);
  expect(costs.total).toEqual([{ amount: "0.0432", currency: "USD" }]);
  const charged = costs.data.flatMap(({ source, money }: typeof platform) => (source === "provider" && money) || []);
  expect(charged.reduce((sum: number, { amount }: { amount: string }) => sum + Number(amount), 0)).toBeCloseTo(0.0429);
});

test("call.completed and the export have the lines", async () => {
  const customer = await makeCustomer(app);
  await customer.subscribe(receiver, { types: ["call.completed"] });
  await reported(customer);
  const [message] = await receiver.waitFor(1);
  expect(JSON.parse(message?.body.toString() ?? "{}").data.costs).toContainEqual(platform);
  const { json } = await customer.ask("GET", "/v1/export");
  expect(json).toContain("cost_lines");
});

test("a call of which no cost is known has no lines and no total, instead of zero", async () => {
  const customer = await makeCustomer(app);
  const { id } = await customer.post("/v1/calls", { provider: "vapi", provider_call_id: newUuid() });
  expect(await customer.get(`/v1/calls/${id}/costs`)).toEqual({ data: [], total: [] });
});

test("404: nobody else sees what a call cost", async () => {
  const [customer, stranger] = [await makeCustomer(app), await makeCustomer(app)];
  const id = await reported(customer);
  expect((await stranger.ask("GET", `/v1/calls/${id}/costs`)).status).toBe(404);
});
