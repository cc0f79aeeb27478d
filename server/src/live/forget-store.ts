import type { Tx } from "#/db/transaction.ts";

/** Removes what live clients could still be told of calls. */
export async function forgetChanges(tx: Tx, tenantId: string, callIds: readonly string[]): Promise<number> {
  return tx.run("delete from changes where tenant_id = $1 and call_id = any ($2::uuid[])", [tenantId, callIds]);
}
