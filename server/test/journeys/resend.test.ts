import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";

import { known as settings, running, type Running, startTestApp, type TestApp } from "../harness/app.ts";
import { type Customer, makeCustomer } from "../harness/customer.ts";
import { startDatabaseProxy } from "../harness/database-proxy.ts";
import { discardDatabase, ownDatabase } from "../harness/database.ts";
import { type Receiver, startReceiver } from "../harness/receiver.ts";
import { startServerProcess } from "../harness/server-process.ts";

let app: TestApp;
let receiver: Receiver;
beforeAll(async () => {
  [app, receiver] = await Promise.all([startTestApp(), startReceiver()]);
});
afterAll(async () => {
  await receiver.close();
  await app.stop();
});

/** A customer who missed messages because nobody listened yet, and now has an endpoint. */
async function missed(server: Running, count: number): Promise<{ customer: Customer; endpointId: string }> {
  const customer = await makeCustomer(server);
  await customer.post("/v1/event-types", { name: "lead.qualified" });
  for (let i = 0; i < count; i++) await customer.post("/v1/messages", { type: "lead.qualified", data: { i } });
  const { id } = await customer.subscribe(receiver);
  return { customer, endpointId: id };
}

const idsAt = () => new Set(receiver.received.map(({ headers }) => headers["webhook-id"]));

test("what nobody got is counted, downloaded as a table, and sent at the rate that was asked for", async () => {
  const { customer, endpointId } = await missed(app, 40);
  expect(await customer.get("/v1/undelivered/counts")).toMatchObject({
    total: 40,
    reasons: [{ reason: "no_endpoint", count: 40 }],
  });
  const table = await app.get("/v1/undelivered/csv", { authorization: `Bearer ${customer.key}` });
  expect(table.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect(table.text.trimEnd().split("\r\n")).toHaveLength(41);

  const before = receiver.received.length;
  const startedAt = systemClock.monotonic();
  const body = { reasons: ["no_endpoint"], to_endpoint_id: endpointId, rate_per_second: 20 };
  const { resend, count } = await customer.post("/v1/resends", body);
  expect(count).toBe(40);
  await receiver.waitFor(before + 40);
  const seconds = (systemClock.monotonic() - startedAt) / 1000;
  expect(seconds).toBeGreaterThan(1.5);
  await expect
    .poll(() => customer.get(`/v1/resends/${resend.id}`), { timeout: 5_000 })
    .toMatchObject({ state: "done", resent_count: 40, outcome: { delivered: 40, undelivered: 0, waiting: 0 } });
  expect((await customer.get("/v1/undelivered")).data).toEqual([]);
});

test("pause and cancel act within a second, and resume goes on", async () => {
  const { customer, endpointId } = await missed(app, 60);
  const before = receiver.received.length;
  const arrived = () => receiver.received.length - before;
  const body = { reasons: ["no_endpoint"], to_endpoint_id: endpointId, rate_per_second: 20 };
  const { resend } = await customer.post("/v1/resends", body);
  const tell = (what: string) => customer.post(`/v1/resends/${resend.id}/${what}`, undefined);
  const isStill = async () => {
    await systemClock.sleep(1_000);
    const count = arrived();
    await systemClock.sleep(1_000);
    return arrived() === count;
  };
  await receiver.waitFor(before + 5);
  expect(await tell("pause")).toMatchObject({ state: "paused" });
  expect(await isStill()).toBe(true);
  const paused = arrived();
  await tell("resume");
  await receiver.waitFor(before + paused + 5);
  expect(await tell("cancel")).toMatchObject({ state: "canceled" });
  expect(await isStill()).toBe(true);
  expect(arrived()).toBeLessThan(60);
  const { outcome } = await customer.get(`/v1/resends/${resend.id}`);
  const { total } = await customer.get("/v1/undelivered/counts");
  expect([outcome.waiting, outcome.delivered + total]).toEqual([0, 60]);
});

test("killed in the middle, the next process finishes it: nothing left out, and twice only what was in flight", async () => {
  const own = await ownDatabase();
  const proxy = await startDatabaseProxy(own.connection);
  const first = await startServerProcess(proxy.url);
  const { customer, endpointId } = await missed(running(first.url, own.db), 50);
  const before = receiver.received.length;
  const known = idsAt();
  const body = { reasons: ["no_endpoint"], to_endpoint_id: endpointId, rate_per_second: 25 };
  const { resend } = await customer.post("/v1/resends", body);
  await receiver.waitFor(before + 15);
  await first.kill();
  // What the dead had in hand is leased to it for a minute; here the minute is over.
  const inHand = await own.db.inTransaction([customer.tenantId], (tx) =>
    tx.run("update deliveries set lease_until = now() where state = 'claimed'"),
  );
  const second = await startServerProcess(proxy.url);
  const afterwards = running(second.url, own.db);
  await expect
    .poll(async () => (await afterwards.ask(customer.key, "GET", `/v1/resends/${resend.id}`)).json, { timeout: 60_000 })
    .toMatchObject({ state: "done", resent_count: 50, outcome: { delivered: 50, undelivered: 0, waiting: 0 } });
  const fresh = [...idsAt()].filter((id) => !known.has(id));
  expect(fresh).toHaveLength(50);
  expect(receiver.received.length - before - 50).toBeLessThanOrEqual(inHand);
  await second.stop();
  await proxy.close();
  await discardDatabase(own);
}, 90_000);

test("a closed tenant gets nothing more: its deliveries end, its sources and keys are not known", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  await customer.subscribe(receiver);
  receiver.answer({ status: 500 });
  const before = receiver.received.length;
  await customer.post("/v1/event-types", { name: "lead.qualified" });
  await customer.post("/v1/messages", { type: "lead.qualified", data: {} });
  await receiver.waitFor(before + 1);
  const me = await customer.get("/v1/whoami");
  expect((await app.ask(settings.apiKey, "DELETE", `/v1/tenants/${me.tenant.id}`)).status).toBe(200);
  expect((await customer.ask("GET", "/v1/whoami")).status).toBe(401);
  expect((await vapi.own({ type: "call.ended", call: { id: "x" } })).status).toBe(404);
  const open = () =>
    app.db.inTransaction([customer.tenantId], (tx) =>
      tx.rows("select distinct state, reason from deliveries where state in ('due', 'claimed') or reason is not null"),
    );
  await expect.poll(open, { timeout: 5_000 }).toEqual([{ state: "undelivered", reason: "endpoint_deleted" }]);
  receiver.answer({ status: 200 });
});
