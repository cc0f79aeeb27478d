import * as fc from "fast-check";
import { expect, test } from "vitest";

import { type Health, newHealth } from "./health.ts";
import { failingPercent, type Judged, type Judging, nextHealth, type Outcome } from "./next-health.ts";
import { healthRules as rules } from "./rules.ts";

const start = Date.UTC(2026, 10, 20);
const hour = 3_600_000;
const ok: Outcome = { isSuccess: true, throttledMs: null, isCounted: true };
const bad: Outcome = { isSuccess: false, throttledMs: null, isCounted: true };
const byHand = (outcome: Outcome): Outcome => ({ ...outcome, isCounted: false });

const at = (nowMs: number, changes: Partial<Judging> = {}): Judging => ({
  nowMs,
  rules,
  isBreakerOn: true,
  isAutoDisabledOn: true,
  earlierSuccesses: 0,
  ...changes,
});
const times = (count: number, outcome: Outcome) => Array.from({ length: count }, () => outcome);
const kinds = ({ transitions }: Judged) =>
  transitions.map((one) => (one.kind === "failing" ? `failing ${one.percent}` : one.kind));

test("a breaker opens at 70 % of ten attempts, and neither at nine nor below", () => {
  const judge = (outcomes: readonly Outcome[]) => nextHealth(newHealth(start), outcomes, at(start)).health.breaker;
  expect(judge(times(9, bad))).toBe("closed");
  expect(judge(times(10, bad))).toBe("open");
  expect(judge([...times(3, ok), ...times(7, bad)])).toBe("open");
  expect(judge([...times(4, ok), ...times(6, bad)])).toBe("closed");
  expect(judge([...times(100, ok), ...times(50, bad)])).toBe("closed");
});

test("what is older than five minutes does not count", () => {
  const before = nextHealth(newHealth(start), times(9, bad), at(start)).health;
  expect(nextHealth(before, [bad], at(start + 4 * 60_000)).health.breaker).toBe("open");
  expect(nextHealth(before, [bad], at(start + 6 * 60_000)).health.breaker).toBe("closed");
});

test("it stays open 30 s, then twice as long each time, at most ten minutes; opening and closing are told once", () => {
  let judged = nextHealth(newHealth(start), times(10, bad), at(start));
  expect(kinds(judged)).toEqual(["breaker_opened"]);
  const waits: number[] = [];
  let now = start;
  for (let i = 0; i < 8; i++) {
    waits.push(((judged.health.openUntilMs ?? 0) - now) / 1000);
    now = judged.health.openUntilMs ?? 0;
    judged = nextHealth({ ...judged.health, breaker: "half_open" }, [bad], at(now));
    expect(kinds(judged)).toEqual([]);
  }
  expect(waits).toEqual([30, 60, 120, 240, 480, 600, 600, 600]);
  judged = nextHealth({ ...judged.health, breaker: "half_open" }, [ok], at(now));
  expect(judged.transitions).toEqual([{ kind: "breaker_closed", openedAtMs: start }]);
  expect(judged.health).toMatchObject({ breaker: "closed", openCount: 0, closedAtMs: now, failedCount: 0 });
});

test("late failures from before it opened do not keep it open longer", () => {
  const opened = nextHealth(newHealth(start), times(10, bad), at(start)).health;
  const later = nextHealth(opened, times(5, bad), at(start + 10_000)).health;
  expect(later.openUntilMs).toBe(opened.openUntilMs);
});

test("a pause is the longest that was asked for", () => {
  const asked = (throttledMs: number) => ({ ...bad, throttledMs });
  const { health } = nextHealth(newHealth(start), [asked(5_000), asked(60_000), asked(0)], at(start));
  expect(health.notBeforeMs).toBe(start + 60_000);
  expect(nextHealth(newHealth(start), [asked(0)], at(start)).health.notBeforeMs).toBe(start + rules.throttleMs);
  expect(nextHealth(newHealth(start), [byHand(asked(9_000))], at(start)).health.notBeforeMs).toBe(start + 9_000);
});

test("attempts made by hand count for nothing, but what they ask for and a probe", () => {
  const fresh = newHealth(start);
  expect(nextHealth(fresh, times(20, byHand(bad)), at(start))).toEqual({ health: fresh, transitions: [] });
  const failing: Health = { ...fresh, failedCount: 3, warnedPercent: 50, firstFailedAtMs: start };
  expect(nextHealth(failing, [byHand(ok)], at(start))).toEqual({ health: failing, transitions: [] });
  const probing: Health = { ...fresh, breaker: "half_open", openCount: 1, openedAtMs: start };
  expect(nextHealth(probing, [byHand(ok)], at(start)).health.breaker).toBe("closed");
  expect(nextHealth(probing, [byHand(bad)], at(start)).health).toMatchObject({ breaker: "open", openCount: 2 });
});

test("disabling takes five days without success, half a day of failures and ten of them; each threshold is told once", () => {
  const failedFor = (span: number, count: number, watched = 200 * hour): Health => ({
    ...newHealth(start - watched),
    firstFailedAtMs: start - span,
    lastFailedAtMs: start,
    failedCount: count,
  });
  expect(failingPercent(failedFor(12 * hour, 10), rules)).toBe(100);
  expect(failingPercent(failedFor(11 * hour, 10), rules)).toBe(91);
  expect(failingPercent(failedFor(100 * hour, 9), rules)).toBe(90);
  expect(failingPercent(failedFor(100 * hour, 100, 60 * hour), rules)).toBe(50);
  const judged = nextHealth(failedFor(20 * hour, 100), [bad], at(start, { isBreakerOn: false }));
  expect(kinds(judged)).toEqual(["failing 50", "failing 70", "failing 90", "failing 100", "disabled"]);
  const off = nextHealth(failedFor(20 * hour, 100), [bad], at(start, { isBreakerOn: false, isAutoDisabledOn: false }));
  expect(kinds(off)).toEqual(["failing 50", "failing 70", "failing 90", "failing 100"]);
});

test("whatever comes in whatever order: opening and closing alternate, thresholds rise, and a success leaves nothing behind", () => {
  const step = fc.record({
    wait: fc.integer({ min: 0, max: 20 * hour }),
    outcomes: fc.array(fc.constantFrom(ok, bad, bad, byHand(ok), byHand(bad), { ...bad, throttledMs: 0 }), {
      maxLength: 15,
    }),
    probes: fc.boolean(),
    earlierSuccesses: fc.integer({ min: 0, max: 20 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let health = newHealth(start);
      let now = start;
      let isOpen = false;
      let warned = 0;
      for (const { wait, outcomes, probes, earlierSuccesses } of steps) {
        now += wait;
        if (probes && health.breaker === "open" && (health.openUntilMs ?? 0) <= now)
          health = { ...health, breaker: "half_open" };
        const judged = nextHealth(health, outcomes, at(now, { earlierSuccesses }));
        for (const one of judged.transitions) {
          const isTurn = one.kind === "breaker_opened" || one.kind === "breaker_closed";
          expect(!isTurn || isOpen === (one.kind === "breaker_closed")).toBe(true);
          expect(one.kind !== "failing" || one.percent > warned).toBe(true);
          expect(one.kind !== "recovered" || warned > 0).toBe(true);
          if (isTurn) isOpen = one.kind === "breaker_opened";
          if (one.kind === "failing") warned = one.percent;
          if (one.kind === "recovered") warned = 0;
        }
        ({ health } = judged);
        if (outcomes.at(-1) === ok) warned = 0;
        expect(health.warnedPercent).toBe(warned);
        expect(health.failedCount === 0 || outcomes.at(-1) !== ok).toBe(true);
        expect(health.breaker !== "closed").toBe(isOpen);
        expect(health.window.attempts.length).toBeLessThanOrEqual(rules.slices);
        health.window.failures.forEach((failures, i) =>
          expect(failures).toBeLessThanOrEqual(health.window.attempts[i] ?? 0),
        );
        expect(health.breaker === "open" ? (health.openUntilMs ?? 0) - now : 0).toBeLessThanOrEqual(rules.openMsMax);
      }
    }),
  );
});
