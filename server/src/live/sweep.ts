import { allTenants } from "#/db/all-tenants.ts";
import type { Db } from "#/db/transaction.ts";

import { liveLimits } from "./limits.ts";
import { deleteOldChanges } from "./store.ts";

/**
 * Removes changes that nobody can go on from any more, some rows at a time; what is left waits for the next sweep. Gives how many.
 * Safe in any number of processes.
 */
export async function sweepChanges(db: Db, ageMs = maxAgeMs): Promise<number> {
  const tenants = await db.inTransaction([], allTenants);
  let count = 0;
  for (let from = 0; from < tenants.length; from += liveLimits.sweepTenantsMax) {
    const some = tenants.slice(from, from + liveLimits.sweepTenantsMax);
    const rowsMax = Math.ceil(liveLimits.sweepRowsMax / some.length);
    for (let round = 0; round < liveLimits.sweepRoundsMax; round++) {
      const taken = await db.inTransaction(some, (tx) => deleteOldChanges(tx, some, ageMs, rowsMax));
      count += taken;
      if (taken === 0) break;
    }
  }
  return count;
}

const maxAgeMs = liveLimits.keptMs + liveLimits.keptLongerMs;
