/**
 * Milliseconds to the next attempt. A transcript that is not written yet is asked for after 1, 2, 4 … seconds, at most every
 * ten minutes; a failure is tried again after 5, 10, 20 … seconds, at most every half hour, or when the other side said.
 * `chance` (0 to 1) spreads it by a fifth to both sides.
 */
export function retryDelayMs(
  tried: {
    readonly isFailure: boolean;
    readonly attempt: number;
    readonly failures: number;
    readonly afterMs: number | null;
  },
  chance: number,
): number {
  const [base, count, max] = tried.isFailure ? [5_000, tried.failures, 1_800_000] : [1_000, tried.attempt, 600_000];
  const own = Math.min(base * 2 ** Math.min(count - 1, 20), max) * (0.8 + 0.4 * chance);
  return Math.round(Math.max(own, Math.min(tried.afterMs ?? 0, 3_600_000)));
}
