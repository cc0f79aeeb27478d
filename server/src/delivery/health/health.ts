/** How an endpoint does, as its hot row says. Times are epoch milliseconds of the database's clock. */
export type Health = {
  readonly breaker: Breaker;
  readonly openedAtMs: number | null;
  readonly openUntilMs: number | null;
  /** How often in a row the breaker opened. */
  readonly openCount: number;
  /** When it closed last. */
  readonly closedAtMs: number | null;
  /** Nothing is sent before. */
  readonly notBeforeMs: number | null;
  readonly window: Window;
  readonly watchedFromMs: number;
  readonly firstFailedAtMs: number | null;
  readonly lastFailedAtMs: number | null;
  /** Since the last success. */
  readonly failedCount: number;
  readonly lastSucceededAtMs: number | null;
  /** The last threshold that was told, 0 for none. */
  readonly warnedPercent: number;
};

export type Breaker = "closed" | "open" | "half_open";

/** Attempts of the last minutes by slice, the newest first. */
export type Window = {
  /** Number of the newest slice. */
  readonly slice: number;
  readonly attempts: readonly number[];
  readonly failures: readonly number[];
};

/** An endpoint of which nothing is known yet. */
export function newHealth(watchedFromMs: number): Health {
  return {
    breaker: "closed",
    openedAtMs: null,
    openUntilMs: null,
    openCount: 0,
    closedAtMs: null,
    notBeforeMs: null,
    window: emptyWindow,
    watchedFromMs,
    firstFailedAtMs: null,
    lastFailedAtMs: null,
    failedCount: 0,
    lastSucceededAtMs: null,
    warnedPercent: 0,
  };
}

export const emptyWindow: Window = { slice: 0, attempts: [], failures: [] };

export type Counts = {
  /** Number of the slice that is now. */
  readonly slice: number;
  readonly slices: number;
  readonly attempts: number;
  readonly failures: number;
};

/** Moves a window on and adds to its newest slice; what is older than the window drops out. */
export function addToWindow(window: Window, { slice, slices, attempts, failures }: Counts): Window {
  const steps = Math.min(Math.max(slice - window.slice, 0), slices);
  const fresh = Array.from({ length: window.attempts.length === 0 ? 1 : steps }, () => 0);
  const [attemptsNow = 0, ...attemptsBefore] = [...fresh, ...window.attempts].slice(0, slices);
  const [failuresNow = 0, ...failuresBefore] = [...fresh, ...window.failures].slice(0, slices);
  return {
    slice: Math.max(slice, window.slice),
    attempts: [attemptsNow + attempts, ...attemptsBefore],
    failures: [failuresNow + failures, ...failuresBefore],
  };
}
