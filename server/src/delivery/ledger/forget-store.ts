import type { Tx } from "#/db/transaction.ts";

import { expungePayload } from "./expunge-store.ts";

/** Removes the bytes of every message about calls and what receivers answered; what was still to be sent ends as expired. */
export async function forgetMessages(tx: Tx, tenantId: string, callIds: readonly string[]): Promise<number> {
  const messages = await tx.rows<{ id: string }>(
    "select id from messages where tenant_id = $1 and call_id = any ($2::uuid[]) order by id",
    [tenantId, callIds],
  );
  for (const { id } of messages) await expungePayload(tx, tenantId, id);
  return messages.length;
}
