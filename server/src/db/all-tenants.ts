import type { Tx } from "./transaction.ts";

/** The ids of all tenants, in order; closed ones among them. Works in a transaction that may see none. */
export async function allTenants(tx: Tx): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>("select id from lookup_tenants() as t (id) order by id");
  return rows.map(({ id }) => id);
}
