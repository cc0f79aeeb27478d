import * as fc from "fast-check";
import { expect, test } from "vitest";

import { decideNext } from "./decide.ts";
import { makeTarget } from "./test-target.ts";

const item = (attemptCount: number, changes: Partial<Parameters<typeof decideNext>[0]> = {}) => ({
  type: "call.completed",
  attemptCount,
  manualCount: 0,
  isManual: false,
  target: makeTarget({ scheduleMs: [5_000, 300_000] }),
  ...changes,
});
const failed = { class: "http_5xx", status: 500, retryAfterMs: null } as const;
const noJitter = () => 0;

test("a schedule of N delays gives N + 1 attempts, then it is over", () => {
  expect([0, 1, 2].map((count) => decideNext(item(count), failed, noJitter))).toEqual([
    { kind: "retry", delayMs: 5_000 },
    { kind: "retry", delayMs: 300_000 },
    { kind: "undelivered", reason: "exhausted" },
  ]);
  const none = item(0, { target: makeTarget({ scheduleMs: [] }) });
  expect(decideNext(none, failed, noJitter)).toEqual({ kind: "undelivered", reason: "exhausted" });
});

test("attempts made by hand are no steps: a failed one leaves the schedule where it was", () => {
  expect(decideNext(item(3, { isManual: true }), failed, noJitter)).toEqual({ kind: "resume" });
  expect(decideNext(item(3, { manualCount: 2 }), failed, noJitter)).toEqual({ kind: "retry", delayMs: 300_000 });
});

test("a status that the endpoint wants no retry for ends it at once", () => {
  const target = makeTarget({
    scheduleMs: [5_000],
    noRetry: [
      [400, 403],
      [422, 422],
    ],
  });
  const after = (status: number) => decideNext(item(0, { target }), { ...failed, class: "http_4xx", status }, noJitter);
  expect(after(401)).toEqual({ kind: "undelivered", reason: "rejected" });
  expect(after(422)).toEqual({ kind: "undelivered", reason: "rejected" });
  expect(after(404)).toEqual({ kind: "retry", delayMs: 5_000 });
  expect(decideNext(item(0, { target, isManual: true }), { ...failed, status: 401 }, noJitter)).toEqual({
    kind: "resume",
  });
});

test("while others wait behind it no retry waits longer than the endpoint says, but a pause that was asked for is kept", () => {
  const target = makeTarget({ scheduleMs: [36_000_000], order: { mode: "strict", strict_delay_max_ms: 60_000 } });
  expect(decideNext(item(0, { target }), failed, noJitter)).toEqual({ kind: "retry", delayMs: 60_000 });
  const asked = { ...failed, retryAfterMs: 90_000 };
  expect(decideNext(item(0, { target }), asked, noJitter)).toEqual({ kind: "retry", delayMs: 90_000 });
  const skip = makeTarget({ scheduleMs: [36_000_000], order: { mode: "skip", strict_delay_max_ms: 60_000 } });
  expect(decideNext(item(0, { target: skip }), failed, noJitter)).toEqual({ kind: "retry", delayMs: 36_000_000 });
});

test("every answer ends a delivery, or names a time that is never earlier than the schedule and at most a tenth later", () => {
  const classes = [
    "redirect",
    "throttled",
    "http_4xx",
    "http_5xx",
    "timeout",
    "connect",
    "reset",
    "dns",
    "tls",
  ] as const;
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1_000, max: 86_400_000 }), { maxLength: 10 }),
      fc.nat(12),
      fc.constantFrom(...classes),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (scheduleMs, attemptCount, name, random) => {
        const next = decideNext(
          item(attemptCount, { target: makeTarget({ scheduleMs }) }),
          { class: name, status: 500, retryAfterMs: null },
          () => random,
        );
        const scheduled = scheduleMs[attemptCount];
        const isOver = next.kind === "undelivered" && next.reason === "exhausted";
        const isInTime = (delayMs: number) =>
          delayMs >= (scheduled ?? 0) && delayMs <= Math.ceil((scheduled ?? 0) * 1.1);
        expect(scheduled === undefined ? isOver : next.kind === "retry" && isInTime(next.delayMs)).toBe(true);
      },
    ),
  );
});
