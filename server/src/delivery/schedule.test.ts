import { defaultScheduleMs } from "@aftercall/contract/endpoint.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { nextDelayMs, readRetryAfter } from "./schedule.ts";

const noJitter = () => 0;
const now = Date.UTC(2026, 10, 21, 12, 0, 0);

test("the default schedule makes ten attempts over 75 h 35 min 5 s", () => {
  const delays = Array.from({ length: 12 }, (_, i) =>
    nextDelayMs({ scheduleMs: defaultScheduleMs, failedCount: i + 1, retryAfterMs: null, random: noJitter }),
  );
  expect(delays.filter((delay) => delay !== null)).toEqual(defaultScheduleMs);
  expect(delays.indexOf(null)).toBe(9);
  expect(defaultScheduleMs.reduce((sum, delay) => sum + delay)).toBe(((75 * 60 + 35) * 60 + 5) * 1000);
});

test("an empty schedule means one attempt", () => {
  expect(nextDelayMs({ scheduleMs: [], failedCount: 1, retryAfterMs: 1000, random: noJitter })).toBeNull();
});

test("jitter only ever adds, at most ten percent", () => {
  const delay = fc.integer({ min: 1000, max: 86_400_000 });
  fc.assert(
    fc.property(delay, fc.double({ min: 0, max: 1, noNaN: true }), (scheduled, chance) => {
      const next = nextDelayMs({ scheduleMs: [scheduled], failedCount: 1, retryAfterMs: null, random: () => chance });
      expect(next).toBeGreaterThanOrEqual(scheduled);
      expect(next).toBeLessThanOrEqual(Math.round(scheduled * 1.1));
    }),
  );
});

test("Retry-After postpones an attempt and never brings it forward", () => {
  const step = { scheduleMs: [300_000], failedCount: 1, random: noJitter };
  expect(nextDelayMs({ ...step, retryAfterMs: 600_000 })).toBe(600_000);
  expect(nextDelayMs({ ...step, retryAfterMs: 1000 })).toBe(300_000);
});

test.each([
  ["120", 120_000],
  [" 0 ", 0],
  ["99999999999", 86_400_000],
  ["Sat, 21 Nov 2026 12:00:30 GMT", 30_000],
  ["Sat, 28 Nov 2026 12:00:00 GMT", 86_400_000],
  ["Sat, 21 Nov 2026 11:00:00 GMT", null],
  ["-1", null],
  ["1.5", null],
  ["soon", null],
  ["", null],
  ["9".repeat(400), null],
  ["2026-11-21T12:00:30Z", null],
  [undefined, null],
])("Retry-After %j is read as %j ms", (value, ms) => {
  expect(readRetryAfter(value, now)).toBe(ms);
});

test("no Retry-After makes a receiver wait more than a day or less than nothing", () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      const ms = readRetryAfter(value, now) ?? 0;
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(86_400_000);
    }),
  );
});
