import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { limits } from "#/kernel/limits.ts";

import { beginTrial, endTrial } from "./queue/trial-store.ts";
import type { HandOff } from "./target.ts";

/**
 * Attempts of deliveries that several processes in a row died with. Nearly all of them only happened to be under way; one may be
 * what the processes die of. So each begins alone and under a mark in its row, and only one whose process dies while it is alone
 * is counted.
 */
export type Trials = {
  /** Begins an attempt when its turn comes. Null: it was not begun, because we have to go or the claim is lost. */
  run<Outcome>(item: HandOff, attempt: () => Promise<Outcome>): Promise<Outcome | null>;
};

/** Whether processes died with it so often that it is tried alone. */
export function isSuspect({ lostCount }: HandOff): boolean {
  return lostCount >= limits.deliverySuspectLost;
}

export function createTrials({ db, clock, signal }: { db: Db; clock: Clock; signal: AbortSignal }): Trials {
  let turn: Promise<void> = Promise.resolve();

  return {
    async run(item, attempt) {
      const { promise: over, resolve: end } = Promise.withResolvers<void>();
      const before = turn;
      turn = over;
      await before;
      try {
        if (signal.aborted || !(await begin(item))) return null;
        const attempting = attempt();
        await watch(attempting, item);
        await survive(item);
        // What is not answered yet goes on while the next one is tried.
        end();
        return await attempting;
      } finally {
        end();
      }
    },
  };

  async function begin(item: HandOff): Promise<boolean> {
    return db.inTransaction([item.tenantId], (tx) => beginTrial(tx, item)).catch(() => false);
  }

  /** A mark that could not be taken away counts as one trial, of which it takes several. */
  async function survive(item: HandOff): Promise<void> {
    await db.inTransaction([item.tenantId], (tx) => endTrial(tx, item)).catch(() => {});
  }

  /** Until the attempt ends, or long enough to say that it harms nobody: longer each time that it was lost nevertheless. */
  async function watch(attempting: Promise<unknown>, { lostCount }: HandOff): Promise<void> {
    const done = new AbortController();
    const ms = limits.deliveryTrialMs * 2 ** Math.min(lostCount - limits.deliverySuspectLost, 10);
    await Promise.race([attempting, clock.sleep(ms, done.signal)]);
    done.abort();
  }
}
