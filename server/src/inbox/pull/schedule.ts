import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { providers } from "#/providers/index.ts";

import { pullLimits } from "./limits.ts";
import { type DuePoll, duePolls } from "./store.ts";

/**
 * Queues the sources whose provider is to be asked now. Every process asks, and a turn is queued once: by the source and the time
 * at which it is due. A source without a credential for its provider's API is never among them.
 */
export async function queuePulls(
  db: Db,
  clock: Clock,
  enqueue: (tx: Tx, due: readonly DuePoll[]) => Promise<void>,
): Promise<void> {
  const asked = providers.flatMap(({ name, pull }) => (pull ? [{ name, slot: pull.slot }] : []));
  await db.inTransaction([], async (tx) => {
    const wanted = { providers: asked.map(({ name }) => name), slots: asked.map(({ slot }) => slot) };
    await enqueue(tx, await duePolls(tx, wanted, clock.now(), pullLimits.sourcesMax));
  });
}
