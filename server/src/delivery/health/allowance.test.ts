import * as fc from "fast-check";
import { expect, test } from "vitest";

import { allowance, type Gate, tokensAt } from "./allowance.ts";
import { newHealth } from "./health.ts";
import { healthRules as rules } from "./rules.ts";

const now = Date.UTC(2026, 10, 20);
const gate = (changes: Partial<Gate> = {}): Gate => ({
  health: newHealth(now),
  tokens: null,
  refilledAtMs: now,
  rate: null,
  inFlightMax: 10,
  inFlight: 0,
  isPaused: false,
  isBreakerOn: true,
  ...changes,
});
const free = (changes: Partial<Gate>) => allowance(gate(changes), now, rules);

test("an endpoint may have as many in flight as it says, over all processes", () => {
  expect(free({})).toBe(10);
  expect(free({ inFlight: 7 })).toBe(3);
  expect(free({ inFlight: 12 })).toBe(0);
});

test("nothing goes out while it is paused, while it asked for a pause, and while its breaker is open", () => {
  expect(free({ isPaused: true })).toBe(0);
  expect(free({ health: { ...newHealth(now), notBeforeMs: now + 1 } })).toBe(0);
  expect(free({ health: { ...newHealth(now), notBeforeMs: now } })).toBe(10);
  const open = { ...newHealth(now), breaker: "open", openUntilMs: now + 1 } as const;
  expect(free({ health: open })).toBe(0);
  expect(free({ health: open, isBreakerOn: false })).toBe(10);
});

test("an open breaker lets one through when its time is over, and no second while that is under way", () => {
  const over = { ...newHealth(now), breaker: "open", openUntilMs: now } as const;
  expect(free({ health: over })).toBe(1);
  expect(free({ health: over, inFlight: 1 })).toBe(0);
  expect(free({ health: { ...over, breaker: "half_open" }, inFlight: 1 })).toBe(0);
  expect(free({ health: { ...over, breaker: "half_open" }, inFlight: 0 })).toBe(1);
});

test("a bucket begins full, never holds more than its burst, and a clock that goes back takes nothing out", () => {
  const rate = { limit: 5, per_seconds: 1, burst: 8 };
  expect(free({ rate })).toBe(8);
  expect(free({ rate, tokens: 0.5 })).toBe(0);
  expect(allowance(gate({ rate, tokens: 0 }), now + 1_000, rules)).toBe(5);
  expect(allowance(gate({ rate, tokens: 0 }), now + 60_000, rules)).toBe(8);
  expect(tokensAt(gate({ rate, tokens: 3 }), now - 5_000)).toBeCloseTo(3);
});

test("however often a bucket is asked, no more goes out than its burst and its rate", () => {
  fc.assert(
    fc.property(
      fc.record({
        limit: fc.integer({ min: 1, max: 100 }),
        per_seconds: fc.integer({ min: 1, max: 60 }),
        burst: fc.integer({ min: 1, max: 50 }),
      }),
      fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 60 }),
      (rate, waits) => {
        let tokens: number | null = null;
        let at = now;
        let sent = 0;
        let refilledAtMs = now;
        for (const wait of waits) {
          at += wait;
          const one = gate({ rate, tokens, refilledAtMs, inFlightMax: 1_000 });
          const count = allowance(one, at, rules);
          tokens = Math.max(tokensAt(one, at) - count, 0);
          refilledAtMs = at;
          sent += count;
        }
        expect(sent).toBeLessThanOrEqual(rate.burst + ((at - now) * rate.limit) / (rate.per_seconds * 1_000) + 0.01);
      },
    ),
  );
});

test("after the breaker closed an endpoint gets one at a time, and all it may half a minute later", () => {
  const closed = (ms: number) => free({ health: { ...newHealth(now), closedAtMs: now - ms } });
  expect([0, 3_000, 15_000, 29_999, 30_000].map(closed)).toEqual([1, 1, 5, 10, 10]);
});
