import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { customerOf, makeCustomer } from "../harness/customer.ts";
import { discardDatabase, ownDatabase, type TestDatabase } from "../harness/database.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";

const hourMs = 3_600_000;

let database: TestDatabase;
let receiver: Receiver;
let [ahead, behind]: TestApp[] = [];
beforeAll(async () => {
  [database, receiver] = await Promise.all([ownDatabase(), startReceiver()]);
  const start = (shiftMs: number) => {
    const clock = { ...systemClock, now: () => systemClock.now() + shiftMs };
    return startTestApp({}, { clock, shared: database });
  };
  ahead = await start(hourMs);
  behind = await start(-hourMs);
});
afterAll(async () => {
  await Promise.all([ahead?.stop(), behind?.stop(), receiver.close()]);
  await discardDatabase(database);
});

test("of two processes, an hour ahead and an hour behind, neither tries too early, twice or never", async () => {
  if (!ahead || !behind) throw new Error("not started");
  const arrivals = new Map<string, number[]>();
  receiver.answer(({ headers }) => {
    const id = String(headers["webhook-id"]);
    const times = [...(arrivals.get(id) ?? []), performance.now()];
    arrivals.set(id, times);
    return { status: times.length < 3 ? 500 : 200 };
  });
  const one = await makeCustomer(ahead);
  const other = customerOf(behind, one);
  await one.post("/v1/event-types", { name: "lead.qualified" });
  await one.subscribe(receiver, { types: ["lead.*"], schedule_ms: [1_000, 1_000], is_breaker_on: false });
  const publish = (customer: typeof one) => customer.post("/v1/messages", { type: "lead.qualified", data: {} });
  const published = await Promise.all(Array.from({ length: 20 }, (_, n) => publish(n % 2 === 0 ? one : other)));

  const states = async () => {
    const { data } = await one.get("/v1/deliveries?limit=100");
    return data.map(({ state, attempt_count: count }: { state: string; attempt_count: number }) => `${state} ${count}`);
  };
  await expect.poll(states, { timeout: 30_000 }).toEqual(published.map(() => "delivered 3"));
  expect([...arrivals.keys()].toSorted()).toEqual(published.map(({ id }) => id).toSorted());
  for (const times of arrivals.values()) {
    const [first = 0, second = 0, third = 0, ...more] = times;
    expect(more).toEqual([]);
    // A retry is due a second after the attempt before it has ended.
    expect(Math.min(second - first, third - second)).toBeGreaterThan(990);
  }
});
