import type { Tx } from "#/db/transaction.ts";

import type { Picked } from "./selection.ts";

export type NewSeries = {
  readonly tenantId: string;
  /** Its id is the cause of the deliveries. */
  readonly resendId: string;
  readonly isForced: boolean;
  /** One id for each pick. */
  readonly ids: readonly string[];
  readonly picks: readonly Picked[];
};

/** Holds messages until the transaction ends, so that no payload is removed while a delivery of it is written. */
export async function holdMessages(tx: Tx, tenantId: string, ids: readonly string[]): Promise<void> {
  await tx.run("select from messages where tenant_id = $1 and id = any ($2::uuid[]) order by id for share", [
    tenantId,
    ids,
  ]);
}

/**
 * Writes new deliveries, due at once, and takes what they replace out of the undelivered list. A pick that is no longer what it
 * was, since somebody else resent it meanwhile, writes nothing. Gives the ids of those that were written.
 */
export async function insertSeries(tx: Tx, { tenantId, resendId, isForced, ids, picks }: NewSeries): Promise<string[]> {
  if (picks.length === 0) return [];
  const rows = await tx.rows<{ id: string }>(
    `with picked as (
       select * from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[]) as p (id, delivery_id, message_id, endpoint_id, needs)),
     replaced as (
       update deliveries d set replaced_by = p.id from picked p
        where d.tenant_id = $1 and d.message_id = p.message_id and (d.id = p.delivery_id or d.endpoint_id = p.endpoint_id)
          and d.state = 'undelivered' and d.replaced_by is null
       returning p.id, d.id = p.delivery_id as is_it),
     routed as (
       update messages m set resent_at = now() from picked p
        where m.tenant_id = $1 and m.id = p.message_id and m.unrouted_reason is not null and m.resent_at is null
       returning p.id),
     written as (
       insert into deliveries (tenant_id, id, message_id, endpoint_id, cause, state, is_forced)
       select $1, p.id, p.message_id, p.endpoint_id, $7, 'due', $8
         from picked p join messages m on m.tenant_id = $1 and m.id = p.message_id and m.expired_at is null
        where p.needs = 'nothing'
           or (p.needs = 'undelivered' and exists (select from replaced r where r.id = p.id and r.is_it))
           or (p.needs = 'unrouted' and exists (select from routed r where r.id = p.id))
       on conflict (tenant_id, message_id, endpoint_id, cause) do nothing
       returning id)
     select id, (select pg_notify('deliveries', '') where exists (select from written)) from written`,
    [
      tenantId,
      ids,
      picks.map((pick) => pick.delivery_id),
      picks.map((pick) => pick.message_id),
      picks.map((pick) => pick.endpoint_id),
      picks.map((pick) => pick.needs),
      resendId,
      isForced,
    ],
  );
  return rows.map(({ id }) => id);
}
