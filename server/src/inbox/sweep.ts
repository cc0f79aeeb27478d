import type { AfterCommit } from "#/calls/change.ts";
import type { Db } from "#/db/transaction.ts";

import type { Entry } from "./entries.ts";
import { entryOf } from "./match-calls.ts";
import { applyEntries } from "./store-batch.ts";
import type { BatchContext } from "./store-batch.ts";
import { overdueUnmatched, takeUnmatched, tenantsWithOverdueEvents } from "./store.ts";

/** How many names one sweep looks after; the rest waits for the next one. */
const namesMax = 200;

/**
 * Applies events that wait although their call exists: event and call were stored in two transactions at the same moment,
 * and neither saw the other. Safe to run anywhere, any number of times.
 */
export async function sweepUnmatched(db: Db, context: BatchContext): Promise<number> {
  let count = 0;
  for (const tenantId of await db.inTransaction([], tenantsWithOverdueEvents)) {
    const { matched, afterCommit } = await db.inTransaction([tenantId], async (tx) => {
      const names = await overdueUnmatched(tx, tenantId, namesMax);
      const entries: Entry[] = [];
      for (const stored of await takeUnmatched(
        tx,
        names.map((alias) => ({ tenantId, alias })),
      )) {
        const again = await context.reread(stored);
        if (again) entries.push(entryOf(stored, again));
      }
      const none: AfterCommit[] = [];
      if (entries.length === 0) return { matched: 0, afterCommit: none };
      const result = await applyEntries(tx, context, entries);
      return { matched: entries.length, afterCommit: result.afterCommit };
    });
    for (const run of afterCommit) run();
    count += matched;
  }
  return count;
}
