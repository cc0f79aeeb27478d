import type { Tx } from "#/db/transaction.ts";

/** Takes the bytes and headers out of every event of calls; digests stay in their place, so the seals of the log still fit. */
export async function forgetEvents(tx: Tx, tenantId: string, callIds: readonly string[]): Promise<number> {
  const rows = await tx.rows<{ erased: number }>(
    "select sum(erase_event_bodies($1, c.id))::int as erased from unnest($2::uuid[]) as c (id)",
    [tenantId, callIds],
  );
  return rows[0]?.erased ?? 0;
}
