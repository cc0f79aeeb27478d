import { expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { limits } from "#/kernel/limits.ts";

import { createFakeClock } from "../../test/harness/clock.ts";
import { type Receiver, startReceiver } from "../../test/harness/receiver.ts";
import { deliverInEachTest, type Delivering } from "./test-setup.ts";

let delivering: Delivering;
let receiver: Receiver;
deliverInEachTest((made) => {
  ({ delivering, receiver } = made);
});

const many = (count: number) => Array.from({ length: count }, () => delivering.fact());
const states = async () =>
  (await delivering.deliveries()).map(({ state, attempt_count }) => `${state} ${attempt_count}`);

test("two workers share a rate: together they send what one may, and the rest when there are tokens again", async () => {
  const { worker, newNode, write, age } = delivering;
  const { uuid } = await delivering.endpoint({ url: receiver.url, rate: { limit: 2, per_seconds: 60, burst: 3 } });
  const other = newNode("node-2").worker;
  await write(many(8));
  const rounds = async () => {
    for (let i = 0; i < 3; i++) await Promise.all([worker.runOnce(), other.runOnce()]);
  };
  await rounds();
  expect(receiver.received).toHaveLength(3);
  await age(uuid, 61_000);
  await rounds();
  expect(receiver.received).toHaveLength(5);
  await age(uuid, 25_000);
  await rounds();
  expect(receiver.received).toHaveLength(5);
  // None of it was an attempt that failed.
  expect((await states()).filter((state) => state === "due 0")).toHaveLength(3);
});

test("nothing goes to an endpoint with a limit straight from memory", async () => {
  const { worker, book, db, tenant } = delivering;
  const limited = [
    { rate: { limit: 1, per_seconds: 1, burst: 1 } },
    { order: { mode: "strict" } },
    { is_paused: true },
  ];
  for (const settings of [{}, ...limited]) {
    const { uuid } = await delivering.endpoint({ url: receiver.url, ...settings });
    const [target] = await db.inTransaction([tenant], (tx) => book.named(tx, [tenant], [uuid]));
    expect(target && worker.roomFor(target) > 0).toBe(settings !== limited.find((one) => one === settings));
  }
});

test("429 with Retry-After holds the endpoint's other messages too, and no attempt is lost by it", async () => {
  const { worker, write, age, endpoint } = delivering;
  const { uuid } = await endpoint({ url: receiver.url, in_flight_max: 1 });
  receiver.answer((_request, count) =>
    count === 1 ? { status: 429, headers: { "retry-after": "90" } } : { status: 200 },
  );
  await write(many(3));
  await worker.runOnce();
  for (let i = 0; i < 3; i++) expect(await worker.runOnce()).toBe(0);
  expect(receiver.received).toHaveLength(1);
  expect(await states()).toEqual(["due 1", "due 0", "due 0"]);
  await age(uuid, 89_000);
  expect(await worker.runOnce()).toBe(0);
  await age(uuid, 2_000);
  for (let i = 0; i < 3; i++) await worker.runOnce();
  expect(receiver.received).toHaveLength(3);
});

test("429 without Retry-After holds the endpoint for half a minute, 500 with one only its own message", async () => {
  const { worker, write, health, endpoint } = delivering;
  const { uuid } = await endpoint({ url: receiver.url });
  receiver.answer({ status: 500, headers: { "retry-after": "100" } });
  await write(many(1));
  await worker.runOnce();
  expect((await health(uuid)).notBeforeMs).toBeNull();
  expect((await delivering.deliveries())[0]?.due_in_ms).toBeGreaterThan(95_000);
  receiver.answer({ status: 429 });
  await write(many(1));
  await worker.runOnce();
  const { notBeforeMs, lastFailedAtMs } = await health(uuid);
  expect((notBeforeMs ?? 0) - (lastFailedAtMs ?? 0)).toBeCloseTo(30_000, -1);
});

test("what waits in memory for an endpoint that asks for a pause goes back to the table", async () => {
  const { worker, write, deliveries, endpoint } = delivering;
  await endpoint({ url: receiver.url, in_flight_max: 1 });
  receiver.answer({ status: 503, headers: { "retry-after": "60" } });
  worker.handOff(await write(many(20), () => 20));
  await worker.idle();
  expect(receiver.received.length).toBeLessThan(20);
  const waiting = await deliveries();
  expect(waiting.every(({ state }) => state === "due")).toBe(true);
  expect(waiting.filter(({ attempt_count }) => attempt_count === 0).length).toBeGreaterThan(0);
});

test("a paused endpoint keeps its messages, and gets them when it goes on", async () => {
  const { worker, write, handlers, request, endpoint } = delivering;
  const { uuid } = await endpoint({ url: receiver.url, is_paused: true });
  await write(many(3));
  expect(await worker.runOnce()).toBe(0);
  await handlers.updateEndpoint({ ...request, params: { id: uuid }, body: { is_paused: false } });
  expect(await worker.runOnce()).toBe(3);
});

test("an endpoint that is full over all processes is not claimed, nor are its waiting rows looked at", async () => {
  const { write, endpoint, newNode } = delivering;
  const slow = await startReceiver();
  slow.answer("hang");
  await endpoint({ url: slow.url, in_flight_max: 2, order: { mode: "skip" }, types: ["call.ended"] });
  await endpoint({ url: receiver.url, types: ["call.completed"] });
  await write(Array.from({ length: 500 }, () => delivering.fact({ type: "call.ended" })));
  const [first, second] = [newNode("node-1").worker, newNode("node-2").worker];
  const [one, two] = [first.runOnce(), second.runOnce()];
  await slow.waitFor(2);
  await write(many(5));
  expect(await newNode("node-3").worker.runOnce()).toBe(5);
  expect(slow.received).toHaveLength(2);
  await Promise.all([first.stop(0), second.stop(0)]);
  await Promise.all([one, two]);
  await slow.close();
});

test("the next messages of an endpoint wait in memory before the first are answered", async () => {
  const { worker, write, endpoint } = delivering;
  await endpoint({ url: receiver.url, in_flight_max: 2 });
  const answered = Promise.withResolvers<void>();
  receiver.answer({ status: 200, after: answered.promise });
  await write(many(6));
  const first = worker.runOnce();
  await receiver.waitFor(2);
  const second = worker.runOnce();
  await expect.poll(states).toEqual(Array.from({ length: 6 }, () => "claimed 0"));
  answered.resolve();
  expect([await first, await second]).toEqual([2, 4]);
});

test("a tenant whose many endpoints hang does not delay another's", async () => {
  const { write, newNode, otherTenant, fact } = delivering;
  const slow = await startReceiver();
  slow.answer("hang");
  const crowd = await otherTenant();
  for (let i = 0; i < 20; i++) {
    await delivering.endpoint({ url: `${slow.url}?own=${i}`, timeout_ms: 30_000, in_flight_max: 50 }, crowd);
  }
  await delivering.endpoint({ url: receiver.url });
  await write(Array.from({ length: 40 }, () => fact({ tenantId: crowd })));
  await write(many(10));
  const node = newNode("node-1").worker;
  const round = node.runOnce();
  await receiver.waitFor(10);
  // Its share is full; what comes later for the other still starts at once.
  await slow.waitFor(limits.deliverySlotsPerTenant * (1 - limits.deliveryRetryReserve) - 100);
  node.handOff(await write(many(10), () => 10));
  expect(await receiver.waitFor(20)).toHaveLength(20);
  await node.stop(0);
  await round;
  await slow.close();
});

test("while retries take all slots they may, a first attempt still starts at once", async () => {
  const { worker, write, sql } = delivering;
  const slow = await startReceiver();
  slow.answer("hang");
  await delivering.endpoint({ url: slow.url, in_flight_max: 500, types: ["call.ended"] });
  await delivering.endpoint({ url: receiver.url, types: ["call.completed"] });
  await write(Array.from({ length: 520 }, () => delivering.fact({ type: "call.ended" })));
  await sql("update deliveries set attempt_count = 1");
  const round = worker.runOnce();
  const retries = Math.floor(limits.deliverySlotsPerTenant * (1 - limits.deliveryFreshReserve));
  await slow.waitFor(retries);
  const handOffs = await write(many(3), () => 3);
  worker.handOff(handOffs);
  await receiver.waitFor(3);
  expect(slow.received).toHaveLength(retries);
  await worker.stop(0);
  await round;
  await slow.close();
});

test("what is new keeps its pace beside a backlog of retries: a claim takes a few of them, and all of them when nothing is new", async () => {
  const clock = createFakeClock(Date.now());
  const { worker } = delivering.newNode("paced", {
    clock: { ...clock, sleep: (ms, signal) => (ms < 1_000 ? systemClock : clock).sleep(ms, signal) },
  });
  await delivering.endpoint({ url: receiver.url, in_flight_max: 100 });
  await delivering.write(many(60));
  await delivering.sql("update deliveries set attempt_count = 1");
  worker.handOff(await delivering.write(many(1), () => 1));
  await worker.idle();
  expect(await worker.runOnce()).toBe(limits.deliveryRetriesBesideFresh);
  worker.handOff(await delivering.write(many(20), () => 20));
  await worker.idle();
  expect(await worker.runOnce()).toBe(20);
  await clock.advance(limits.deliveryFreshFlowMs);
  expect(await worker.runOnce()).toBe(60 - 20 - limits.deliveryRetriesBesideFresh);
});

test("a message that processes die of while they try it alone is set aside; one that only died with them goes on", async () => {
  const { worker, write, deliveries, expireLeases, sql } = delivering;
  await delivering.endpoint({ url: receiver.url });
  await write(many(2), () => 2);
  const [poisoned] = await deliveries();
  await sql("update deliveries set lost_count = 100");
  await sql("update deliveries set trial_count = $2 where id = $1", [poisoned?.id, limits.deliveryTrialsMax]);
  await expireLeases();
  await worker.runOnce();
  expect((await deliveries()).map(({ state, reason }) => `${state} ${reason}`)).toEqual([
    "undelivered render_failed",
    "delivered null",
  ]);
  const counts = await sql("select lost_count, trial_count from deliveries where state = 'delivered'");
  expect(counts).toEqual([{ lost_count: 0, trial_count: 0 }]);
});

test("what processes may have died of is tried one at a time, and is a suspect no more once it was answered", async () => {
  const { worker, write, deliveries, sql } = delivering;
  receiver.answer("hang");
  await delivering.endpoint({ url: receiver.url, timeout_ms: 1_000 });
  await write(many(3));
  await sql("update deliveries set lost_count = $1", [limits.deliverySuspectLost + 6]);
  const round = worker.runOnce();
  for (let tried = 1; tried <= 3; tried++) {
    expect(await receiver.waitFor(tried)).toHaveLength(tried);
    expect(await sql("select id from deliveries where trial_count = 1")).toHaveLength(1);
  }
  await round;
  expect((await deliveries()).map(({ attempt_count: count }) => count)).toEqual([1, 1, 1]);
  expect(await sql("select lost_count, trial_count from deliveries group by 1, 2")).toEqual([
    { lost_count: 0, trial_count: 0 },
  ]);
  await sql("update deliveries set state = 'undelivered', reason = 'cancelled', finished_at = now()");
});
