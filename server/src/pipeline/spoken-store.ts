import type { Tx } from "#/db/transaction.ts";

/**
 * Takes away what was said from where engines' answers are kept and, where the plan says so, from the events of the call. Their
 * digests stay, so the log still verifies.
 */
export async function forgetSpoken(
  tx: Tx,
  { tenantId, callId, withEvents }: { tenantId: string; callId: string; withEvents: boolean },
): Promise<void> {
  await tx.run("delete from engine_answers where tenant_id = $1 and call_id = $2 and step = 'transcribe'", [
    tenantId,
    callId,
  ]);
  if (withEvents) await tx.rows("select erase_event_bodies($1, $2)", [tenantId, callId]);
}
