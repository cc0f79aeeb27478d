import type { AfterCommit } from "#/calls/change.ts";
import type { Db } from "#/db/transaction.ts";

import { advanceReplay, loadReplay, lockReplay, nextEvents, type ReplayFinished } from "./replay-store.ts";
import { replayEvents } from "./replay.ts";
import type { BatchContext } from "./store-batch.ts";

/** Events run again in one transaction. */
const stepEvents = 50;

/**
 * Works through a replay step by step; each step commits what it did together with how far it got, so after a crash the next
 * run goes on from there. Returns when the replay is done or canceled, or when the signal stops it.
 */
export async function runReplay(
  db: Db,
  context: BatchContext,
  { tenantId, replayId }: { readonly tenantId: string; readonly replayId: string },
  { signal, finished }: { readonly signal: AbortSignal; readonly finished: ReplayFinished },
): Promise<void> {
  while (!signal.aborted) {
    const { isMore, afterCommit } = await db.inTransaction([tenantId], async (tx) => {
      const nothing: AfterCommit[] = [];
      const replay = await lockReplay(tx, tenantId, replayId);
      if (!replay) return { isMore: false, afterCommit: nothing };
      const events = await nextEvents(tx, replay, stepEvents);
      const last = events.at(-1);
      if (!last) {
        await advanceReplay(tx, replay, null);
        const done = await loadReplay(tx, tenantId, replayId);
        if (done) await finished(tx, done);
        return { isMore: false, afterCommit: nothing };
      }
      const result = await replayEvents(tx, context, events);
      await advanceReplay(tx, replay, {
        xid: last.xid,
        seq: last.seq,
        changed: result.replayed.filter((one) => one.result === "changed").length,
        unchanged: result.replayed.filter((one) => one.result !== "changed").length,
        problems: result.replayed.filter((one) => one.problem !== null).length,
      });
      return { isMore: true, afterCommit: result.afterCommit };
    });
    for (const run of afterCommit) run();
    if (!isMore) return;
  }
}
