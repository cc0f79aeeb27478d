import type { Clock } from "#/kernel/clock.ts";

export type FakeClock = Clock & {
  /** Moves time on and wakes, in order, everybody whose sleep is over; what they do next happens before it resolves. */
  advance(ms: number): Promise<void>;
  /** How many are asleep. */
  readonly sleepers: number;
};

/** Time that stands still until it is told to move. Starts in November 2026. */
export function createFakeClock(startMs: number = Date.UTC(2026, 10, 20, 12)): FakeClock {
  let passed = 0;
  const asleep = new Set<{ readonly until: number; wake(): void }>();
  return {
    now: () => startMs + passed,
    monotonic: () => passed,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const wake = () => {
          asleep.delete(sleeper);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        const sleeper = { until: passed + ms, wake };
        asleep.add(sleeper);
        signal?.addEventListener("abort", wake, { once: true });
      }),
    get sleepers() {
      return asleep.size;
    },
    async advance(ms) {
      const end = passed + ms;
      for (;;) {
        const next = [...asleep].filter(({ until }) => until <= end).toSorted((a, b) => a.until - b.until)[0];
        if (!next) break;
        passed = Math.max(passed, next.until);
        next.wake();
        await settled();
      }
      passed = end;
      await settled();
    },
  };
}

/** Lets everything run that waits for nothing but its turn. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
