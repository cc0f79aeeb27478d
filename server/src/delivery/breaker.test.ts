import { afterEach, beforeEach, expect, test } from "vitest";

import { type Receiver, startReceiver } from "../../test/harness/receiver.ts";
import { deliverInEachTest, type Delivering } from "./test-setup.ts";

let delivering: Delivering;
let receiver: Receiver;
let control: Receiver;
deliverInEachTest((made) => {
  ({ delivering, receiver } = made);
});
beforeEach(async () => {
  control = await startReceiver();
});
afterEach(() => control.close());

const many = (count: number) => Array.from({ length: count }, () => delivering.fact());
const minute = 60_000;
const hour = 60 * minute;

/** What the operational endpoint got, in order, without what people did: `endpoint.failing 50`. */
const told = () =>
  control.received.flatMap(({ body }) => {
    const { type, data } = JSON.parse(body.toString("utf8")) as { type: string; data: Record<string, unknown> };
    if (["endpoint.created", "endpoint.updated", "endpoint.enabled"].includes(type)) return [];
    return [[type, data["threshold_percent"] ?? data["reason"]].filter((part) => part !== undefined).join(" ")];
  });
const listen = () => delivering.endpoint({ url: control.url, kind: "operational" });
/** Sends everything that is due, what is told about it as well. */
const rounds = async (count = 3) => {
  for (let i = 0; i < count; i++) await delivering.worker.runOnce();
};

test("a breaker opens at seven failures of ten, lets nothing through, probes once and drains the backlog", async () => {
  const { worker, newNode, write, health, age, deliveries, makeDue } = delivering;
  await listen();
  const { uuid } = await delivering.endpoint({ url: receiver.url, in_flight_max: 5 });
  receiver.answer((_request, count) => ({ status: count <= 3 ? 200 : 500 }));
  await write(many(9));
  await rounds();
  expect((await health(uuid)).breaker).toBe("closed");
  await write(many(1));
  await rounds();
  expect(receiver.received).toHaveLength(10);
  expect(await health(uuid)).toMatchObject({ breaker: "open", openCount: 1 });

  await write(many(4));
  await makeDue();
  await rounds();
  expect(receiver.received).toHaveLength(10);
  const attempts = (await deliveries()).map(({ attempt_count }) => attempt_count);
  expect(Math.max(...attempts)).toBe(1);

  await age(uuid, 31_000);
  await Promise.all([worker.runOnce(), newNode("node-2").worker.runOnce()]);
  expect(receiver.received).toHaveLength(11);
  expect(await health(uuid)).toMatchObject({ breaker: "open", openCount: 2 });
  const { openUntilMs, lastFailedAtMs } = await health(uuid);
  expect((openUntilMs ?? 0) - (lastFailedAtMs ?? 0)).toBeCloseTo(60_000, -2);

  receiver.answer({ status: 200 });
  await age(uuid, 61_000);
  await worker.runOnce();
  expect(receiver.received).toHaveLength(12);
  expect((await health(uuid)).breaker).toBe("closed");
  await makeDue();
  await rounds(15);
  expect(receiver.received.length).toBeGreaterThan(20);
  await age(uuid, 31_000);
  await rounds();
  expect((await deliveries()).every(({ state }) => state === "delivered")).toBe(true);
  expect(told()).toEqual(["endpoint.breaker_opened", "endpoint.breaker_closed"]);
});

test("after the breaker closed the backlog comes slowly: one at a time at first", async () => {
  const { worker, write, age, sql } = delivering;
  const { uuid } = await delivering.endpoint({ url: receiver.url, in_flight_max: 10 });
  await write(many(10));
  await sql("update endpoint_health set closed_at = now() where endpoint_id = $1", [uuid]);
  expect(await worker.runOnce()).toBe(1);
  await age(uuid, 15_500);
  expect(await worker.runOnce()).toBe(6);
  await age(uuid, 15_000);
  expect(await worker.runOnce()).toBe(3);
});

test("successes of before count: a hundred that arrived and ten that did not open no breaker", async () => {
  const { worker, write, health } = delivering;
  const { uuid } = await delivering.endpoint({ url: receiver.url, in_flight_max: 50 });
  worker.handOff(await write(many(100), () => 100));
  await worker.idle();
  receiver.answer({ status: 500 });
  worker.handOff(await write(many(10), () => 10));
  await worker.idle();
  expect(await health(uuid)).toMatchObject({ breaker: "closed", failedCount: 10 });
  const { window } = await health(uuid);
  expect(window.attempts.reduce((sum, one) => sum + one, 0)).toBe(110);
});

test("a breaker that is switched off never opens", async () => {
  const { worker, write, health } = delivering;
  const { uuid } = await delivering.endpoint({ url: receiver.url, is_breaker_on: false });
  receiver.answer({ status: 500 });
  await write(many(12));
  await rounds();
  expect(receiver.received).toHaveLength(12);
  expect((await health(uuid)).breaker).toBe("closed");
  expect(await worker.runOnce()).toBe(0);
});

test("an endpoint without a success for five days is disabled, told at each threshold, whoever counts", async () => {
  const { newNode, write, age, endpoint, deliveries, handlers, request } = delivering;
  await listen();
  const { uuid } = await endpoint({ url: receiver.url, is_breaker_on: false, schedule_ms: [] });
  receiver.answer({ status: 500 });
  const fail = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await write(many(1));
      // A new process each time: nothing of it is remembered in memory.
      await newNode(`node-${i}`).worker.runOnce();
    }
  };
  await age(uuid, 48 * hour);
  await fail(5);
  await age(uuid, 12 * hour);
  await fail(1);
  await rounds();
  expect(told().filter((line) => line.startsWith("endpoint"))).toEqual(["endpoint.failing 50"]);
  await age(uuid, 50 * hour);
  await fail(3);
  await rounds();
  expect(told().filter((line) => line.startsWith("endpoint"))).toEqual([
    "endpoint.failing 50",
    "endpoint.failing 70",
    "endpoint.failing 90",
  ]);
  await age(uuid, 20 * hour);
  await write(many(1));
  await fail(1);
  await rounds();
  expect(told().filter((line) => line.startsWith("endpoint"))).toEqual([
    "endpoint.failing 50",
    "endpoint.failing 70",
    "endpoint.failing 90",
    "endpoint.failing 100",
    "endpoint.disabled failing",
  ]);
  expect(await handlers.getEndpoint({ ...request, params: { id: uuid } })).toMatchObject({
    is_enabled: false,
    disabled_reason: "failing",
  });
  expect(
    (await deliveries())
      .filter(({ endpoint_id }) => endpoint_id === uuid)
      .every(({ state }) => state === "undelivered"),
  ).toBe(true);
  await handlers.updateEndpoint({ ...request, params: { id: uuid }, body: { is_enabled: true } });
  expect(await delivering.health(uuid)).toMatchObject({ failedCount: 0, warnedPercent: 0, breaker: "closed" });
});

test("one success resets what disables an endpoint, and is told as its recovery", async () => {
  const { write, age, health, endpoint } = delivering;
  await listen();
  const { uuid } = await endpoint({ url: receiver.url, is_breaker_on: false, schedule_ms: [] });
  receiver.answer({ status: 500 });
  await age(uuid, 70 * hour);
  await write(many(9));
  await rounds(1);
  await age(uuid, 13 * hour);
  await write(many(1));
  await rounds(1);
  expect((await health(uuid)).warnedPercent).toBe(50);
  receiver.answer({ status: 200 });
  await write(many(1));
  await rounds();
  expect(await health(uuid)).toMatchObject({ failedCount: 0, warnedPercent: 0, firstFailedAtMs: null });
  expect(told().filter((line) => line.startsWith("endpoint"))).toEqual(["endpoint.failing 50", "endpoint.recovered"]);
});

test("410 disables at once and is told once, however many answers said so", async () => {
  const { worker, write } = delivering;
  await listen();
  await delivering.endpoint({ url: receiver.url });
  receiver.answer({ status: 410 });
  worker.handOff(await write(many(5), () => 5));
  await worker.idle();
  await rounds();
  expect(told()).toEqual(["endpoint.disabled gone"]);
});

test("a message is said to fail at its fourth attempt, to be given up, and to have arrived after all", async () => {
  const { worker, write, makeDue, handlers, request, deliveries } = delivering;
  await listen();
  const { uuid } = await delivering.endpoint({ url: receiver.url, schedule_ms: [1_000, 1_000, 1_000, 1_000] });
  receiver.answer({ status: 500 });
  await write(many(1));
  for (let i = 0; i < 8; i++) {
    await makeDue();
    await worker.runOnce();
  }
  expect(receiver.received).toHaveLength(5);
  expect(told()).toEqual(["delivery.failing", "delivery.exhausted"]);
  const before = await delivering.health(uuid);
  const { id = "" } = (await deliveries()).find(({ endpoint_id }) => endpoint_id === uuid) ?? {};
  const retry = () => handlers.retryDelivery({ ...request, params: { id }, query: { force: "false" } });
  await retry();
  await rounds();
  expect(receiver.received).toHaveLength(6);
  expect((await delivering.health(uuid)).failedCount).toBe(before.failedCount);
  receiver.answer({ status: 200 });
  await retry();
  await rounds();
  expect(told()).toEqual(["delivery.failing", "delivery.exhausted", "delivery.recovered"]);
});

test("operational endpoints that fail cause no loop, and are not told about themselves", async () => {
  const { write, makeDue, sql } = delivering;
  const { uuid } = await delivering.endpoint({
    url: receiver.url,
    kind: "operational",
    is_breaker_on: false,
    schedule_ms: [1_000, 1_000, 1_000, 1_000],
  });
  receiver.answer({ status: 500 });
  await listen();
  const failing = await startReceiver();
  failing.answer({ status: 410 });
  await delivering.endpoint({ url: failing.url, kind: "ordinary" });
  await write(many(1));
  for (let i = 0; i < 12; i++) {
    await makeDue();
    await rounds(1);
  }
  expect(told()).toEqual(["endpoint.disabled gone"]);
  const messages = await sql<{ type: string }>("select distinct type from messages order by type");
  expect(messages.map(({ type }) => type)).toEqual(["call.completed", "endpoint.created", "endpoint.disabled"]);
  expect(await delivering.health(uuid)).toMatchObject({ failedCount: receiver.received.length });
  await failing.close();
});
