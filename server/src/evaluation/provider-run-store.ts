import { plainColumn } from "#/db/columns.ts";
import type { Tx } from "#/db/transaction.ts";

/** A run that is written, by our own id, and the digest of what it was made from. */
export type KnownRun = { readonly id: string; readonly inputHash: Buffer };

/** The newest runs that hold what providers made of these calls, by call; nothing for a call without one. */
export async function providerRunsOf(
  tx: Tx,
  calls: readonly { readonly tenantId: string; readonly callId: string }[],
): Promise<Map<string, KnownRun>> {
  if (calls.length === 0) return new Map();
  const rows = await tx.rows<KnownRun & { callId: string }>(
    `select c.call_id as "callId", r.id, r.input_hash as "inputHash"
       from unnest($1::uuid[], $2::uuid[]) as c (tenant_id, call_id)
      cross join lateral (select id, input_hash from analysis_runs
                           where tenant_id = c.tenant_id and call_id = c.call_id and trigger = 'provider'
                           order by id desc limit 1) as r`,
    [plainColumn(calls.map(({ tenantId }) => tenantId)), plainColumn(calls.map(({ callId }) => callId))],
    "evaluation.provider-runs",
  );
  return new Map(rows.map(({ callId, ...run }) => [callId, run]));
}
