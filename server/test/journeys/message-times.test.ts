import { fromPublicId } from "@aftercall/contract/id.ts";
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

const lead = { type: "lead.qualified", data: { name: "דנה לוי" } };
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const hour = 3_600_000;
const publish = (times: object) => customer.post("/v1/messages", { ...lead, ...times });
type Row = { readonly state: string; readonly reason: string | null };
const deliveriesOf = async (id: string): Promise<Row[]> => (await customer.get(`/v1/messages/${id}`)).deliveries;
const reasonsOf = async (id: string) => (await deliveriesOf(id)).map(({ reason }) => reason);
const statesOf = async (id: string) => (await deliveriesOf(id)).map(({ state }) => state);
const patience = { timeout: 60_000 };

/** What an hour does to a message that expires within it. */
async function runOut(id: string): Promise<void> {
  const message = fromPublicId("message", id);
  await app.db.inTransaction([customer.tenantId], async (tx) => {
    await tx.run("delete from message_expiries where message_id = $1", [message]);
    await tx.run("insert into message_expiries select tenant_id, id, now() from messages where id = $1", [message]);
  });
}

test("202: a message is not sent before its time, and is sent then", async () => {
  await customer.subscribe(receiver);
  const deliver_at = inMs(1_500);
  const { id, deliver_at: shown } = await publish({ deliver_at });
  expect(shown).toBe(deliver_at);
  const [sent] = await receiver.waitFor(1);
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(deliver_at));
  expect(sent?.headers["webhook-id"]).toBe(id);
});

test("what waits for its time is held as scheduled, and can be cancelled", async () => {
  await customer.subscribe(receiver);
  const deliver_at = inMs(hour);
  const { id } = await publish({ deliver_at });
  expect((await customer.get("/v1/held")).data).toMatchObject([
    { message_id: id, cause: "scheduled", next_attempt_at: deliver_at },
  ]);
  expect(await customer.post("/v1/deliveries/cancel", { message_ids: [id] })).toMatchObject({ cancelled_count: 1 });
  expect(await reasonsOf(id)).toEqual(["cancelled"]);
});

test("what has not arrived in time is undelivered, whether it was tried or not, and goes out when somebody resends it", async () => {
  receiver.answer({ status: 500 });
  const tried = await customer.subscribe(receiver, { schedule_ms: [hour] });
  const paused = await customer.subscribe(receiver, { is_paused: true });
  const { id } = await publish({ expires_at: inMs(hour) });
  await expect
    .poll(async () => (await customer.get(`/v1/held?endpoint_id=${tried.id}`)).data, patience)
    .toMatchObject([{ cause: "retry" }]);
  await runOut(id);
  await expect.poll(() => reasonsOf(id), patience).toEqual(["expired", "expired"]);
  expect(await customer.get("/v1/undelivered/counts")).toMatchObject({ total: 2, reasons: [{ reason: "expired" }] });
  await customer.ask("PATCH", `/v1/endpoints/${paused.id}`, { is_paused: false });
  await customer.post(`/v1/messages/${id}/resend`, { endpoint_id: paused.id });
  const [first, again] = await receiver.waitFor(2);
  expect(again?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
});

test("what arrived in time stays delivered when its time is over", async () => {
  await customer.subscribe(receiver);
  const { id } = await publish({ expires_at: inMs(hour) });
  await customer.subscribe(receiver, { is_paused: true });
  const other = await publish({ expires_at: inMs(hour) });
  await expect.poll(() => statesOf(id), patience).toEqual(["delivered"]);
  await expect.poll(async () => (await statesOf(other.id)).toSorted(), patience).toEqual(["delivered", "due"]);
  await runOut(id);
  await runOut(other.id);
  await expect.poll(async () => (await statesOf(other.id)).toSorted(), patience).toEqual(["delivered", "undelivered"]);
  expect(await statesOf(id)).toEqual(["delivered"]);
});

test("in a strict order the line moves on when the time of its first is over", async () => {
  receiver.answer((_request, count) => ({ status: count === 1 ? 500 : 200 }));
  await customer.subscribe(receiver, { order: { mode: "strict", strict_delay_max_ms: hour }, schedule_ms: [hour] });
  const first = await publish({ order_key: "lead-1", expires_at: inMs(hour) });
  const second = await publish({ order_key: "lead-1" });
  await expect
    .poll(async () => (await customer.get("/v1/held?cause=order")).data, patience)
    .toMatchObject([{ message_id: second.id }]);
  await runOut(first.id);
  const [, sent] = await receiver.waitFor(2);
  expect(sent?.headers["webhook-id"]).toBe(second.id);
  expect(await reasonsOf(first.id)).toEqual(["expired"]);
});

test.each<[string, () => object, string]>([
  ["a time further ahead than 30 days", () => ({ deliver_at: inMs(31 * 24 * hour) }), "/deliver_at"],
  ["an end that is over", () => ({ expires_at: inMs(-1_000) }), "/expires_at"],
  ["an end before the beginning", () => ({ deliver_at: inMs(2 * hour), expires_at: inMs(hour) }), "/expires_at"],
  ["a later time in a line", () => ({ deliver_at: inMs(hour), order_key: "a" }), "/deliver_at"],
])("422: %s is refused by its field", async (_name, times, pointer) => {
  const { status, json } = await customer.ask("POST", "/v1/messages", { ...lead, ...times() });
  expect([status, json.errors[0].pointer]).toEqual([422, pointer]);
});
