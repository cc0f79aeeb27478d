import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";

import { running } from "../harness/app.ts";
import { type Customer, makeCustomer } from "../harness/customer.ts";
import { startDatabaseProxy, type DatabaseProxy } from "../harness/database-proxy.ts";
import { discardDatabase, ownDatabase, type TestDatabase } from "../harness/database.ts";
import { startReceiver } from "../harness/receiver.ts";
import { startServerProcess } from "../harness/server-process.ts";

let own: TestDatabase;
let proxy: DatabaseProxy;
beforeAll(async () => {
  own = await ownDatabase();
  proxy = await startDatabaseProxy(own.connection);
});
afterAll(async () => {
  await proxy.close();
  await discardDatabase(own);
});

const body = { type: "lead.qualified", data: { name: "דנה" } };

async function publish(url: string, customer: Customer) {
  const headers = {
    authorization: `Bearer ${customer.key}`,
    "content-type": "application/json",
    "idempotency-key": "lead-4821",
  };
  const answer = await fetch(`${url}/v1/messages`, { method: "POST", headers, body: JSON.stringify(body) });
  const isReplay = answer.headers.get("idempotency-replayed") === "true";
  return { status: answer.status, isReplay, json: (await answer.json()) as { id: string; code?: string } };
}

const messagesOf = (customer: Customer) =>
  own.db.inTransaction([customer.tenantId], (tx) => tx.rows<{ id: string }>("select id from messages"));

test("a tenant's own message arrives, signed; sent again with its key to another process it is not sent twice", async () => {
  const receiver = await startReceiver();
  const [first, second] = await Promise.all([startServerProcess(proxy.url), startServerProcess(proxy.url)]);
  const customer = await makeCustomer(running(first.url, own.db));
  await customer.post("/v1/event-types", {
    name: "lead.qualified",
    data_schema: { type: "object", required: ["name"] },
  });
  const endpoint = await customer.subscribe(receiver, { types: ["lead.*"] });

  const published = await publish(first.url, customer);
  const repeats = await Promise.all([first, second, first, second].map(({ url }) => publish(url, customer)));
  expect([published.status, published.isReplay]).toEqual([202, false]);
  for (const repeat of repeats) expect(repeat).toEqual({ status: 202, isReplay: true, json: published.json });

  const [received] = await receiver.waitFor(1);
  const headers = Object.fromEntries(
    Object.entries(received?.headers ?? {}).map(([name, value]) => [name, String(value)]),
  );
  expect(new Webhook(endpoint.secret).verify(received?.body.toString() ?? "", headers)).toMatchObject(body);
  expect(headers["webhook-id"]).toBe(published.json.id);
  expect(await messagesOf(customer)).toHaveLength(1);

  await Promise.all([first.stop(), second.stop()]);
  expect(receiver.received).toHaveLength(1);
  const restarted = await startServerProcess(proxy.url);
  expect(await publish(restarted.url, customer)).toEqual({ status: 202, isReplay: true, json: published.json });
  const { openapi, webhooks } = (await (await fetch(`${restarted.url}/openapi.json`)).json()) as {
    openapi: string;
    webhooks: object;
  };
  expect([openapi, Object.keys(webhooks)]).toEqual(["3.1.1", expect.arrayContaining(["call.completed"])]);
  await restarted.stop();
  await receiver.close();
});

test.each([
  ["before its commit: the repeat does it", "before", { status: 202, count: 1 }],
  ["after its commit: the repeat is told so, and does nothing", "after", { status: 409, count: 1 }],
] as const)("killed while it publishes, %s", async (_name, where, expected) => {
  const first = await startServerProcess(proxy.url);
  const customer = await makeCustomer(running(first.url, own.db));
  await customer.post("/v1/event-types", { name: "lead.qualified" });

  const stopped = proxy.stopAt(["delivery.insert-messages", "commit"], where);
  const answer = publish(first.url, customer).catch(() => null);
  await stopped;
  await first.kill();
  expect(await answer).toBeNull();
  proxy.restore();

  // The dead hold the key for a minute; here the minute is over.
  await own.db.inTransaction([customer.tenantId], (tx) => tx.run("update idempotency_keys set locked_until = now()"));
  const second = await startServerProcess(proxy.url);
  expect((await publish(second.url, customer)).status).toBe(expected.status);
  expect(await messagesOf(customer)).toHaveLength(expected.count);
  await second.stop();
});
