import type { Db } from "#/db/transaction.ts";

import { findMerged } from "./store.ts";

/** Of the calls that keys name by our ids, those that turned out to be another one: who waits for them waits for that one. */
export async function mergedCalls(
  db: Db,
  tenantId: string,
  keys: readonly string[],
): Promise<readonly { readonly from: string; readonly to: string }[]> {
  const callIds = keys.flatMap((key) => (key.startsWith("call ") ? key.slice("call ".length) : []));
  if (callIds.length === 0) return [];
  return db.inTransaction([tenantId], (tx) => findMerged(tx, tenantId, callIds));
}
