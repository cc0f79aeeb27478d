import type { Tx } from "#/db/transaction.ts";

/** Blocks that are not public and that the operator opened for a tenant, in one order: equal sets are equal lists. */
export async function privateTargetsOf(tx: Tx, tenantId: string): Promise<string[]> {
  const rows = await tx.rows<{ block: string }>(
    "select block::text as block from private_targets where tenant_id = $1 order by private_targets.block",
    [tenantId],
  );
  return rows.map(({ block }) => block);
}

/** The same of the tenant of an endpoint (alias `e`), as a column. */
export const privateTargetsColumn =
  "array(select p.block::text from private_targets p where p.tenant_id = e.tenant_id order by p.block) as private_targets";
