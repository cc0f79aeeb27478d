import type { Tx } from "#/db/transaction.ts";

import { unblockReleased } from "./line-store.ts";

/** Tenants with messages whose time has run out. */
export async function tenantsWithExpiredMessages(tx: Tx): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(
    "select id from lookup_tenants_with_expired_messages() as t (id)",
    [],
    "delivery.tenants-expired-messages",
  );
  return rows.map(({ id }) => id);
}

/**
 * What still waits of messages whose time has run out is undelivered. What is being sent meanwhile is looked at again, so a
 * message is forgotten here once nothing of it is open. What somebody sends again on purpose goes out.
 */
export async function closeExpired(tx: Tx, tenantIds: readonly string[], messagesMax: number): Promise<number> {
  type Row = {
    readonly tenant_id: string;
    readonly id: string;
    readonly endpoint_id: string;
    readonly is_in_line: boolean;
  };
  const rows = await tx.rows<Row>(
    `with over as materialized (
       select tenant_id, message_id from message_expiries
        where tenant_id = any ($1::uuid[]) and expires_at <= now() order by expires_at limit $2),
     waiting as materialized (
       select o.tenant_id, d.id from over o cross join lateral (
              select id from deliveries
               where tenant_id = o.tenant_id and message_id = o.message_id and state = 'due' and cause = 'event'
                 for update skip locked) as d),
     closed as (
       update deliveries d set state = 'undelivered', reason = 'expired', resume_at = null, is_blocked = false, finished_at = now()
         from waiting w where d.tenant_id = w.tenant_id and d.id = w.id
       returning d.tenant_id, d.id, d.endpoint_id, d.order_key is not null as is_in_line),
     done as (
       delete from message_expiries e using over o
        where e.tenant_id = o.tenant_id and e.message_id = o.message_id and not exists (
              select from deliveries d where d.tenant_id = o.tenant_id and d.message_id = o.message_id and d.cause = 'event'
                 and d.state in ('due', 'claimed')))
     select * from closed`,
    [tenantIds, messagesMax],
    "delivery.close-expired",
  );
  const inLine = rows.filter((row) => row.is_in_line);
  await unblockReleased(
    tx,
    inLine.map((row) => ({ tenantId: row.tenant_id, deliveryId: row.id, endpointId: row.endpoint_id })),
  );
  return rows.length;
}
