import { expect, test } from "vitest";

import { limits } from "#/kernel/limits.ts";

import { createFakeClock } from "../../test/harness/clock.ts";
import { createPace } from "./pace.ts";

const items = (count: number, isRetry: boolean) => Array.from({ length: count }, () => ({ isRetry }));

test("retries go as fast as they can where nothing is new", () => {
  const pace = createPace(createFakeClock());
  expect(pace.retries()).toBe(Number.POSITIVE_INFINITY);
  pace.note(items(1_000, true));
  expect(pace.retries()).toBe(Number.POSITIVE_INFINITY);
});

test("while first attempts flow, each claim takes a few retries; and all it can once none came for a while", async () => {
  const clock = createFakeClock();
  const pace = createPace(clock);
  pace.note(items(1, false));
  expect(pace.retries()).toBe(limits.deliveryRetriesBesideFresh);
  await clock.advance(limits.deliveryFreshFlowMs - 1);
  expect(pace.retries()).toBe(limits.deliveryRetriesBesideFresh);
  await clock.advance(1);
  expect(pace.retries()).toBe(Number.POSITIVE_INFINITY);
});

test("retries are never held below what is new: half of all messages may need one, and none waits for ever", () => {
  const pace = createPace(createFakeClock());
  pace.note(items(100, false));
  pace.note([...items(50, false), ...items(400, true)]);
  expect(pace.retries()).toBe(150);
  // Each first attempt makes room once.
  expect(pace.retries()).toBe(limits.deliveryRetriesBesideFresh);
});
