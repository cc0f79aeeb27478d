import * as fc from "fast-check";
import { expect, test } from "vitest";

import { limits } from "#/kernel/limits.ts";

import { createFakeClock } from "../../test/harness/clock.ts";
import { createLanes } from "./lanes.ts";
import type { HandOff, Target } from "./target.ts";
import { makeHandOff, makeTarget } from "./test-target.ts";

const target = (id: string, inFlightMax = 2): Target => makeTarget({ id, inFlightMax });

const item = (to: Target, name: string, isRetry = false): HandOff => makeHandOff(to, { deliveryId: name, isRetry });

const items = (to: Target, count: number) => Array.from({ length: count }, (_, i) => item(to, `${to.id}${i}`));

const freshSlotsKept = limits.deliverySlotsPerTenant * limits.deliveryFreshReserve;
const freshSlots = limits.deliverySlotsPerTenant * (1 - limits.deliveryRetryReserve);

/** Lanes whose attempts end when told. */
function start(workers = 1) {
  const clock = createFakeClock();
  const open = new Map<string, () => void>();
  const started: string[] = [];
  const lanes = createLanes({
    clock,
    workers: () => workers,
    send: ({ deliveryId }) => {
      started.push(deliveryId);
      return new Promise((resolve) => open.set(deliveryId, resolve));
    },
  });
  const finish = async (name: string) => {
    open.get(name)?.();
    open.delete(name);
    await clock.advance(0);
  };
  return { clock, lanes, open, started, finish };
}

test("an endpoint has at most its own number in flight, the others wait their turn in order", async () => {
  const { lanes, started, finish } = start();
  lanes.add(items(target("a"), 4));
  expect(started).toEqual(["a0", "a1"]);
  await finish("a1");
  expect(started).toEqual(["a0", "a1", "a2"]);
  await finish("a0");
  expect(started).toEqual(["a0", "a1", "a2", "a3"]);
});

test("an endpoint that is full does not hold up another", () => {
  const { lanes, started } = start();
  lanes.add(items(target("a"), 10));
  lanes.add(items(target("b"), 1));
  expect(started).toEqual(["a0", "a1", "b0"]);
});

test("there is room for what an endpoint takes within a second, and none while nothing moves", async () => {
  const { lanes, clock } = start();
  const a = target("a", 10);
  expect(lanes.roomFor(a)).toBe(210);
  lanes.add(items(a, 10));
  expect(lanes.roomFor(a)).toBe(200);
  await clock.advance(2_000);
  expect(lanes.roomFor(a)).toBe(0);
  expect(lanes.knownRoom()).toEqual(new Map([["a", 0]]));
});

test("an endpoint that gets slow is given less", async () => {
  const { lanes, clock, finish } = start();
  const a = target("a", 10);
  lanes.add(items(a, 10));
  await clock.advance(15_000);
  for (let i = 0; i < 9; i++) await finish(`a${i}`);
  expect(lanes.roomFor(a)).toBeLessThan(10);
});

test("what has waited too long is given back, oldest first, and not what is in flight", async () => {
  const { lanes, clock, started, finish } = start();
  const a = target("a", 1);
  lanes.add(items(a, 3));
  await clock.advance(4_000);
  lanes.add([item(a, "late")]);
  await clock.advance(2_000);
  expect(lanes.takeWaiting(5_000).map(({ deliveryId }) => deliveryId)).toEqual(["a1", "a2"]);
  expect(lanes.size).toBe(2);
  await finish("a0");
  expect(started).toEqual(["a0", "late"]);
});

test("when all slots are taken, endpoints get free ones in turn", async () => {
  const { lanes, started, finish } = start();
  const hog = target("hog", limits.deliverySlotsPerTenant);
  lanes.add(items(hog, freshSlots + 5));
  lanes.add(items(target("b"), 2));
  lanes.add(items(target("c"), 2));
  expect(started).toHaveLength(freshSlots);
  for (let i = 0; i < 6; i++) await finish(`hog${i}`);
  const late = started.slice(freshSlots);
  expect(late.filter((name) => name.startsWith("b"))).toHaveLength(2);
  expect(late.filter((name) => name.startsWith("c"))).toHaveLength(2);
});

test("a backlog of retries leaves slots for first attempts, and first attempts leave some for retries", () => {
  const { lanes, started } = start();
  const busy = target("busy", limits.deliverySlotsPerTenant);
  const retries = Array.from({ length: limits.deliverySlotsPerTenant }, (_, i) => item(busy, `retry${i}`, true));
  lanes.add(retries);
  expect(started).toHaveLength(limits.deliverySlotsPerTenant - freshSlotsKept);
  const fresh = Array.from({ length: limits.deliverySlotsPerTenant }, (_, i) =>
    item(target("new", limits.deliverySlotsPerTenant), `new${i}`),
  );
  lanes.add(fresh);
  expect(started.filter((name) => name.startsWith("new"))).toHaveLength(freshSlotsKept);

  const other = start();
  other.lanes.add(fresh);
  expect(other.started).toHaveLength(freshSlots);
  other.lanes.add(retries);
  expect(other.started).toHaveLength(limits.deliverySlotsPerTenant);
});

test("an endpoint's first attempts and retries go in turn", async () => {
  const { lanes, started, finish } = start();
  const a = target("a", 1);
  lanes.add(["r0", "r1", "r2"].map((name) => item(a, name, true)));
  lanes.add(["f0", "f1"].map((name) => item(a, name)));
  for (const name of ["r0", "f0", "r1", "f1"]) await finish(name);
  expect(started).toEqual(["r0", "f0", "r1", "f1", "r2"]);
});

test("a tenant whose endpoints hang leaves half of all slots to the others", () => {
  const { lanes, started } = start();
  for (let i = 0; i < 100; i++) lanes.add(items(target(`hanging${i}`, 10), 10));
  expect(started).toHaveLength(freshSlots);
  expect(lanes.freeOf("t").fresh).toBeLessThan(lanes.free.fresh);
  const other = makeTarget({ tenantId: "u", id: "good", inFlightMax: 10 });
  lanes.add([item(other, "good")]);
  expect(started.at(-1)).toBe("good");
});

test("two processes share what an endpoint takes at once", () => {
  const { lanes, started } = start(2);
  lanes.add(items(target("a", 6), 6));
  expect(started).toHaveLength(3);
});

test("what waits for one endpoint can be taken back, and the others go on", async () => {
  const { lanes, started, finish } = start();
  lanes.add(items(target("a", 1), 3));
  lanes.add(items(target("b", 1), 2));
  expect(lanes.waitingFor().map(({ id }) => id)).toEqual(["a", "b"]);
  expect(lanes.takeWaitingOf(({ id }) => id === "a").map(({ deliveryId }) => deliveryId)).toEqual(["a1", "a2"]);
  await finish("a0");
  await finish("b0");
  expect(started).toEqual(["a0", "b0", "b1"]);
});

test("whatever arrives and ends in whatever order: all is sent once and no limit is passed", async () => {
  const step = fc.oneof(
    fc.record({ endpoint: fc.constantFrom("a", "b", "c"), count: fc.integer({ min: 1, max: 5 }) }),
    fc.constant("finish" as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { lanes, open, started, finish } = start();
      const expected: string[] = [];
      for (const [i, one] of steps.entries()) {
        if (one === "finish") await finish([...open.keys()][0] ?? "");
        else {
          const names = Array.from({ length: one.count }, (_, k) => `${one.endpoint}-${i}-${k}`);
          expected.push(...names);
          lanes.add(names.map((name) => item(target(one.endpoint), name)));
        }
        for (const endpoint of ["a", "b", "c"]) {
          expect([...open.keys()].filter((name) => name.startsWith(endpoint)).length).toBeLessThanOrEqual(2);
        }
      }
      while (open.size > 0) await finish([...open.keys()][0] ?? "");
      expect(started.toSorted()).toEqual(expected.toSorted());
      expect(lanes.size).toBe(0);
      expect(lanes.free.total).toBe(limits.deliverySlots + limits.deliveryWaitingMax);
    }),
    { numRuns: 50 },
  );
});
