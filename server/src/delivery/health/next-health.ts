import { addToWindow, emptyWindow, type Health } from "./health.ts";
import type { HealthRules } from "./rules.ts";

/** What one attempt said about its endpoint. */
export type Outcome = {
  readonly isSuccess: boolean;
  /** The receiver asked for a pause; 0 when it said no time. Null: it did not. */
  readonly throttledMs: number | null;
  /** False: somebody had it sent again. That moves neither counts nor rules, but a pause is kept and a probe is a probe. */
  readonly isCounted: boolean;
};

/** What changed about an endpoint; each is told once. */
export type Transition =
  | {
      readonly kind: "breaker_opened";
      readonly openUntilMs: number;
      readonly attempts: number;
      readonly failures: number;
    }
  | { readonly kind: "breaker_closed"; readonly openedAtMs: number }
  | {
      readonly kind: "failing";
      readonly percent: number;
      readonly failedCount: number;
      readonly firstFailedAtMs: number;
    }
  | { readonly kind: "recovered"; readonly failingSinceMs: number | null }
  | { readonly kind: "disabled" };

export type Judged = { readonly health: Health; readonly transitions: readonly Transition[] };

export type Judging = {
  readonly nowMs: number;
  readonly rules: HealthRules;
  readonly isBreakerOn: boolean;
  readonly isAutoDisabledOn: boolean;
  /** Successes of before that were not written yet: they count in the window and for nothing else. */
  readonly earlierSuccesses: number;
};

/** Follows the health of an endpoint through its latest attempts, oldest first. */
export function nextHealth(before: Health, outcomes: readonly Outcome[], judging: Judging): Judged {
  let health = counted(before, judging.earlierSuccesses, 0, judging);
  const transitions: Transition[] = [];
  for (const outcome of outcomes) {
    const judged = outcome.isSuccess ? afterSuccess(health, outcome, judging) : afterFailure(health, outcome, judging);
    health = judged.health;
    transitions.push(...judged.transitions);
  }
  return { health, transitions };
}

function afterSuccess(before: Health, { isCounted }: Outcome, judging: Judging): Judged {
  const { nowMs } = judging;
  const transitions: Transition[] = [];
  if (isCounted && before.warnedPercent > 0) {
    transitions.push({ kind: "recovered", failingSinceMs: before.firstFailedAtMs });
  }
  const health = isCounted ? withSuccess(before, judging) : before;
  if (before.breaker === "closed") return { health, transitions };
  transitions.push({ kind: "breaker_closed", openedAtMs: before.openedAtMs ?? nowMs });
  const closed = { breaker: "closed", openedAtMs: null, openUntilMs: null, openCount: 0, closedAtMs: nowMs } as const;
  // What failed before it opened says nothing about the receiver that is back.
  return { health: { ...health, ...closed, window: emptyWindow, notBeforeMs: null }, transitions };
}

function withSuccess(before: Health, judging: Judging): Health {
  return {
    ...counted(before, 1, 0, judging),
    firstFailedAtMs: null,
    lastFailedAtMs: null,
    failedCount: 0,
    lastSucceededAtMs: judging.nowMs,
    warnedPercent: 0,
  };
}

function afterFailure(before: Health, { throttledMs, isCounted }: Outcome, judging: Judging): Judged {
  const { nowMs, rules } = judging;
  const asked = throttledMs === null ? null : nowMs + (throttledMs > 0 ? throttledMs : rules.throttleMs);
  const paused: Health = { ...before, notBeforeMs: latest(before.notBeforeMs, asked) };
  if (!isCounted)
    return before.breaker === "half_open" ? openIfBad(paused, judging) : { health: paused, transitions: [] };
  const failed: Health = {
    ...counted(paused, 0, 1, judging),
    firstFailedAtMs: before.firstFailedAtMs ?? nowMs,
    lastFailedAtMs: nowMs,
    failedCount: before.failedCount + 1,
  };
  const opened = openIfBad(failed, judging);
  const warned = warnIfFailing(opened.health, judging);
  return { health: warned.health, transitions: [...opened.transitions, ...warned.transitions] };
}

function openIfBad(health: Health, { nowMs, rules, isBreakerOn }: Judging): Judged {
  const attempts = sum(health.window.attempts);
  const failures = sum(health.window.failures);
  const isBad = attempts >= rules.breakerAttemptsMin && failures >= rules.breakerShare * attempts;
  // Late answers from before it opened change nothing; a failed attempt while half open opens it for longer.
  const opens = isBreakerOn && ((health.breaker === "closed" && isBad) || health.breaker === "half_open");
  if (!opens) return { health, transitions: [] };
  const openUntilMs = nowMs + Math.min(rules.openMs * 2 ** health.openCount, rules.openMsMax);
  const isFirst = health.breaker === "closed";
  return {
    health: {
      ...health,
      breaker: "open",
      openedAtMs: isFirst ? nowMs : health.openedAtMs,
      openUntilMs,
      openCount: health.openCount + 1,
    },
    // From half open to open and back it never closed: told once, when it opened.
    transitions: isFirst ? [{ kind: "breaker_opened", openUntilMs, attempts, failures }] : [],
  };
}

function warnIfFailing(health: Health, judging: Judging): Judged {
  const percent = failingPercent(health, judging.rules);
  const crossed = judging.rules.warnPercents.filter((step) => step > health.warnedPercent && step <= percent);
  const { failedCount } = health;
  const firstFailedAtMs = health.firstFailedAtMs ?? judging.nowMs;
  const transitions: Transition[] = crossed.map((step) => ({
    kind: "failing",
    percent: step,
    failedCount,
    firstFailedAtMs,
  }));
  if (percent >= 100 && judging.isAutoDisabledOn) transitions.push({ kind: "disabled" });
  return { health: { ...health, warnedPercent: crossed.at(-1) ?? health.warnedPercent }, transitions };
}

/** How much of what disables an endpoint has come together: the least of its three conditions, 0 to 100. */
export function failingPercent(health: Health, rules: HealthRules): number {
  const { firstFailedAtMs, lastFailedAtMs } = health;
  if (firstFailedAtMs === null || lastFailedAtMs === null) return 0;
  const silentMs = lastFailedAtMs - Math.max(health.lastSucceededAtMs ?? 0, health.watchedFromMs);
  const share = Math.min(
    silentMs / rules.disableAfterMs,
    (lastFailedAtMs - firstFailedAtMs) / rules.disableSpanMs,
    health.failedCount / rules.disableFailuresMin,
  );
  return Math.floor(Math.min(Math.max(share, 0), 1) * 100);
}

/** The health with some more attempts in the newest slice of its window. */
function counted(health: Health, successes: number, failures: number, { nowMs, rules }: Judging): Health {
  if (successes + failures === 0) return health;
  const slice = Math.floor(nowMs / rules.sliceMs);
  const more = { slice, slices: rules.slices, attempts: successes + failures, failures };
  return { ...health, window: addToWindow(health.window, more) };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function latest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}
