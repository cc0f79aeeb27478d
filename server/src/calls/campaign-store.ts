import { textColumn } from "#/db/columns.ts";
import type { Tx } from "#/db/transaction.ts";

/** The tenant's campaigns by the ids that another system has for them. */
export async function campaignsByExternalId(
  tx: Tx,
  tenantId: string,
  externalIds: readonly string[],
): Promise<Map<string, { readonly id: string; readonly businessId: string | null }>> {
  const rows = await tx.rows<{ external_id: string; id: string; business_id: string | null }>(
    "select external_id, id, business_id from campaigns where tenant_id = $1 and external_id = any ($2::text[])",
    [tenantId, textColumn(externalIds)],
    "calls.campaigns-by-external-id",
  );
  return new Map(rows.map((row) => [row.external_id, { id: row.id, businessId: row.business_id }]));
}
