import type { Db } from "./transaction.ts";

/**
 * Announces on a channel what has committed already. However often it is rung, one announcement is under way and one waits. A lost
 * one costs those who listen the time until they look by themselves.
 *
 * It is not part of the transaction that it tells of: PostgreSQL lets transactions that announce something commit one at a time,
 * flush included, which was a quarter of the commits of intake. Its own commit need not be on disk.
 */
export function createBell(db: Db, channel: string): () => void {
  const state = { isRinging: false, isAskedAgain: false };
  return () => {
    if (state.isRinging) state.isAskedAgain = true;
    else void ring();
  };

  async function ring(): Promise<void> {
    state.isRinging = true;
    do {
      state.isAskedAgain = false;
      await db
        .inTransaction([], (tx) =>
          tx.run("select set_config('synchronous_commit', 'off', true), pg_notify($1, '')", [channel], "ring"),
        )
        .catch(() => {});
    } while (state.isAskedAgain);
    state.isRinging = false;
  }
}
