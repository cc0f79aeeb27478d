import type { Db } from "#/db/transaction.ts";
import type { Wake } from "#/db/wake.ts";
import type { Clock } from "#/kernel/clock.ts";
import { limits } from "#/kernel/limits.ts";

import { loadProgress } from "./work-store.ts";

/** Where the progress of sessions is announced; the payload is `<tenant> <session>`. */
export const progressChannel = "training";

/** What a webhook may be told about the feedback it asked for. */
export type Awaited = "claimed" | "exists" | "pending" | "failed";

/** Waits for the feedback of a session. `claim`: whether this very request began it. */
export type AwaitFeedback = (tenantId: string, sessionId: string, claim: "claimed" | "exists") => Promise<Awaited>;

export type AwaitOptions = {
  readonly db: Db;
  readonly clock: Clock;
  readonly wake: Pick<Wake, "on">;
  /** How long an answer is held back. */
  readonly deadlineMs: number;
  /** Aborts when the server stops: who waits then is told that the work goes on, which it does. */
  readonly stopping: AbortSignal;
};

/**
 * Holds the answer of a webhook back until there is feedback, an attempt failed, or the deadline has passed. The work itself
 * is a job, in this process or another: who waits only looks, and giving up waiting stops nothing.
 */
export function createAwaitFeedback({ db, clock, wake, deadlineMs, stopping }: AwaitOptions): AwaitFeedback {
  const waiting = new Map<string, Set<AbortController>>();
  let count = 0;
  wake.on(progressChannel, (payload) => {
    for (const [key, ones] of waiting) if (payload === null || payload === key) for (const one of ones) one.abort();
  });

  return async (tenantId, sessionId, claim) => {
    const key = `${tenantId} ${sessionId}`;
    const until = clock.monotonic() + (count < limits.feedbackWaitersMax ? deadlineMs : 0);
    count++;
    try {
      for (;;) {
        const pause = register(key);
        try {
          const left = until - clock.monotonic();
          const verdict = await look(tenantId, sessionId, claim, left);
          if (verdict !== null) return verdict;
          if (left <= 0 || stopping.aborted) return "pending";
          await clock.sleep(Math.min(left, limits.feedbackPollMs), pause.signal);
        } finally {
          forget(key, pause);
        }
      }
    } finally {
      count--;
    }
  };

  /** Null: not decided yet. A database that is away decides nothing: what was asked for is stored. */
  async function look(
    tenantId: string,
    sessionId: string,
    claim: "claimed" | "exists",
    leftMs: number,
  ): Promise<Awaited | null> {
    const seen = await db.inTransaction([tenantId], (tx) => loadProgress(tx, tenantId, sessionId)).catch(() => null);
    if (!seen) return null;
    if (seen.state === "ready") return claim;
    if (seen.state === "failed") return "failed";
    const isFailing = seen.failures > 0 && seen.next_attempt_at !== null && seen.reason !== "transcript_not_ready";
    if (!isFailing) return null;
    // Who asks again may yet see the next attempt succeed; who began it hears of the failure at once.
    const comesInTime = claim === "exists" && (seen.next_attempt_at?.getTime() ?? 0) - clock.now() < leftMs;
    return comesInTime ? null : "failed";
  }

  function register(key: string): AbortController {
    const pause = new AbortController();
    const ones = waiting.get(key) ?? new Set();
    waiting.set(key, ones.add(pause));
    stopping.addEventListener("abort", () => pause.abort(), { once: true, signal: pause.signal });
    return pause;
  }

  function forget(key: string, pause: AbortController): void {
    pause.abort(); // Takes the listener on `stopping` away as well.
    const ones = waiting.get(key);
    ones?.delete(pause);
    if (ones?.size === 0) waiting.delete(key);
  }
}
