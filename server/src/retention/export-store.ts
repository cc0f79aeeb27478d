import type { Tx } from "#/db/transaction.ts";

import type { Section } from "./export-sections.ts";

export type ExportRow = { readonly row: string; readonly key: readonly string[] };

/** The next rows of a table after a key, as JSON. Names of tables and columns are ours, from the list of sections. */
export async function nextRows(
  tx: Tx,
  tenantId: string,
  { table, key }: Section,
  after: readonly string[] | null,
  limit: number,
): Promise<ExportRow[]> {
  const columns = key.map(([column]) => `t.${column}`).join(", ");
  const values = key.map(([, type], i) => `($2::text[])[${i + 1}]::${type}`).join(", ");
  const texts = key.map(([column]) => `t.${column}::text`).join(", ");
  return tx.rows<ExportRow>(
    `select row_to_json(t)::text as row, array[${texts}] as key from ${table} t
      where t.tenant_id = $1 and ($2::text[] is null or (${columns}) > (${values})) order by ${columns} limit $3`,
    [tenantId, after, limit],
  );
}
