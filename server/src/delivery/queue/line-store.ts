import type { Tx } from "#/db/transaction.ts";

import { lockHealth } from "../health/store.ts";

export type InLine = { readonly tenantId: string; readonly deliveryId: string };

/** Lets the next of each line go on whose foremost has just been settled. The caller holds the rows of their endpoints. */
export async function unblockLines(tx: Tx, settled: readonly InLine[]): Promise<number> {
  return tx.run(
    `with line as (
       select distinct d.tenant_id, d.endpoint_id, d.order_key
         from unnest($1::uuid[], $2::uuid[]) as s (tenant_id, id)
         cross join lateral (select tenant_id, endpoint_id, order_key from deliveries where tenant_id = s.tenant_id and id = s.id limit 1) as d
        where d.order_key is not null),
     next as (
       select b.tenant_id, b.id from line l cross join lateral (
              select d.tenant_id, d.id from deliveries d
               where d.tenant_id = l.tenant_id and d.endpoint_id = l.endpoint_id and d.order_key = l.order_key and d.state = 'due' and d.is_blocked
               order by d.sequence limit 1) as b)
     update deliveries d set is_blocked = false from next n where d.tenant_id = n.tenant_id and d.id = n.id and d.is_blocked`,
    [settled.map(({ tenantId }) => tenantId), settled.map(({ deliveryId }) => deliveryId)],
    "delivery.unblock-lines",
  );
}

/** The same for claims that ended without a result: what waited for them may have its turn before they have theirs again. */
export async function unblockReleased(
  tx: Tx,
  released: readonly (InLine & { readonly endpointId: string })[],
): Promise<void> {
  if (released.length === 0) return;
  await lockHealth(tx, [...new Map(released.map((one) => [one.endpointId, one])).values()]);
  await unblockLines(tx, released);
}

/** Tenants with lines in which somebody waits. */
export async function tenantsWithBlockedDeliveries(tx: Tx): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(
    "select id from lookup_tenants_with_blocked_deliveries() as t (id)",
    [],
    "delivery.tenants-blocked",
  );
  return rows.map(({ id }) => id);
}

/**
 * Lets those go on that wait for nobody: the foremost was taken out of its line by other means than an attempt, or the endpoint
 * wants no order any more. A safety net; the usual way is {@link unblockLines}.
 */
export async function unblockStranded(tx: Tx, tenantIds: readonly string[]): Promise<number> {
  return tx.run(
    `with foremost as (
       select distinct on (d.tenant_id, d.endpoint_id, d.order_key) d.tenant_id, d.endpoint_id, d.order_key, d.sequence, d.id
         from deliveries d where d.state = 'due' and d.is_blocked and d.tenant_id = any ($1::uuid[])
        order by d.tenant_id, d.endpoint_id, d.order_key, d.sequence),
     stranded as (
       select f.tenant_id, f.id from foremost f
        where not exists (select from deliveries o where o.tenant_id = f.tenant_id and o.endpoint_id = f.endpoint_id and o.order_key = f.order_key
                             and o.state <> 'delivered' and o.id <> f.id and (o.state = 'claimed' or (o.state = 'due' and o.sequence < f.sequence)))
       union
       select d.tenant_id, d.id from deliveries d join endpoints e on e.tenant_id = d.tenant_id and e.id = d.endpoint_id
        where d.state = 'due' and d.is_blocked and d.tenant_id = any ($1::uuid[]) and e.order_mode = 'none')
     update deliveries d set is_blocked = false from stranded s where d.tenant_id = s.tenant_id and d.id = s.id and d.is_blocked`,
    [tenantIds],
    "delivery.unblock-stranded",
  );
}
