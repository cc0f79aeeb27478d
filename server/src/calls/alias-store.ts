import { plainColumn, textColumn } from "#/db/columns.ts";
import type { Tx } from "#/db/transaction.ts";
import type { Alias } from "#/providers/provider.ts";

import { nameOf } from "./correlate.ts";

export type TenantAlias = { readonly tenantId: string; readonly alias: Alias };

/** Which call each name belongs to, by {@link nameOf}. Names nobody knows are left out. */
export async function findAliases(tx: Tx, names: readonly TenantAlias[]): Promise<Map<string, string>> {
  if (names.length === 0) return new Map();
  const rows = await tx.rows<{ tenant_id: string; kind: Alias["kind"]; value: string; call_id: string }>(
    // Name by name: while a young table has no statistics, a plain join reads all names of the tenant.
    `select n.tenant_id, n.kind, n.value, a.call_id
       from unnest($1::uuid[], $2::text[], $3::text[]) as n (tenant_id, kind, value)
      cross join lateral (select call_id from call_aliases
                           where tenant_id = n.tenant_id and kind = n.kind and value = n.value limit 1) as a`,
    columns(names),
    "calls.find-aliases",
  );
  return new Map(rows.map((row) => [nameOf(row.tenant_id, row), row.call_id]));
}

/**
 * Gives names to calls, in sorted order so that two batches never wait for each other in a circle. A name that somebody else
 * gave meanwhile is left as it is: the caller finds it missing among the returned ones and looks again.
 */
export async function insertAliases(
  tx: Tx,
  rows: readonly (TenantAlias & { readonly callId: string })[],
): Promise<Set<string>> {
  if (rows.length === 0) return new Set();
  const sorted = rows.toSorted((a, b) => (nameOf(a.tenantId, a.alias) < nameOf(b.tenantId, b.alias) ? -1 : 1));
  const inserted = await tx.rows<{ tenant_id: string; kind: Alias["kind"]; value: string }>(
    `insert into call_aliases (tenant_id, kind, value, call_id)
     select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[])
     on conflict (tenant_id, kind, value) do nothing
     returning tenant_id, kind, value`,
    [...columns(sorted), plainColumn(sorted.map((row) => row.callId))],
    "calls.insert-aliases",
  );
  return new Set(inserted.map((row) => nameOf(row.tenant_id, row)));
}

/** Points names that this transaction gave to a call it will not make after all at the one that was there first. */
export async function redirectAliases(tx: Tx, tenantId: string, from: string, to: string): Promise<void> {
  await tx.run("update call_aliases set call_id = $3 where tenant_id = $1 and call_id = $2", [tenantId, from, to]);
}

/** Every name of each call, the provider's own first, by call id. */
export async function aliasesOf(
  tx: Tx,
  tenantIds: readonly string[],
  callIds: readonly string[],
): Promise<Map<string, Alias[]>> {
  const aliases = new Map<string, Alias[]>();
  if (callIds.length === 0) return aliases;
  const rows = await tx.rows<Alias & { owner: string }>(
    // Call by call and name by name: while young tables have no statistics, a join reads the whole tenant.
    `with asked as (select id from unnest($2::uuid[]) as a (id)),
          wanted as (select id from asked union
                     select m.id from asked cross join lateral
                       (select id from calls where merged_into = asked.id and tenant_id = any ($1::uuid[]) offset 0) as m)
     select coalesce(c.merged_into, c.id) as owner, a.kind, a.value
       from wanted
      cross join lateral (select c.id, c.merged_into, c.provider_call_id from calls c
                           where c.tenant_id = any ($1::uuid[]) and c.id = wanted.id limit 1) as c
      cross join lateral (select kind, value from call_aliases
                           where call_id = c.id and tenant_id = any ($1::uuid[]) offset 0) as a
      order by (a.value = c.provider_call_id) desc, a.kind, a.value`,
    [tenantIds, callIds],
    "calls.aliases-of",
  );
  for (const { owner, kind, value } of rows) aliases.set(owner, [...(aliases.get(owner) ?? []), { kind, value }]);
  return aliases;
}

function columns(names: readonly TenantAlias[]): string[] {
  return [
    plainColumn(names.map((n) => n.tenantId)),
    plainColumn(names.map((n) => n.alias.kind)),
    textColumn(names.map((n) => n.alias.value)),
  ];
}
