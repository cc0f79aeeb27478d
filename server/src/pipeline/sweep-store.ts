import type { Tx } from "#/db/transaction.ts";

/** Tenants with pipelines whose time came before then; epoch milliseconds. */
export async function tenantsWithIdlePipelines(tx: Tx, before: number): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>("select id from lookup_tenants_with_idle_pipelines($1) as t (id)", [
    new Date(before),
  ]);
  return rows.map((row) => row.id);
}

/** The calls of these pipelines, put off by a minute so that other processes leave them alone. */
export async function idlePipelines(tx: Tx, tenantId: string, before: number, limit: number): Promise<string[]> {
  const rows = await tx.rows<{ call_id: string }>(
    `update pipelines p set wake_at = now() + interval '1 minute'
       from (select call_id from pipelines
              where tenant_id = $1 and state = 'running' and wake_at < $2 and (lease_until is null or lease_until < now())
              order by wake_at limit $3 for update skip locked) as idle
      where p.tenant_id = $1 and p.call_id = idle.call_id returning p.call_id`,
    [tenantId, new Date(before), limit],
  );
  return rows.map((row) => row.call_id);
}
