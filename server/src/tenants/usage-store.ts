import type { Tx } from "#/db/transaction.ts";

export type CountedDay = {
  readonly day: string;
  readonly events: number;
  readonly calls: number;
  readonly messages: number;
  readonly deliveries: number;
  readonly attempts: number;
};

/**
 * What each day from `from` to before `until` brought; days without anything are left out. Ids begin with the time at which
 * they were made, so each count reads a range of a primary key (`fromId`, `untilId`) and nothing else.
 */
export async function countDays(
  tx: Tx,
  tenant: string,
  range: { readonly from: Date; readonly until: Date; readonly fromId: string; readonly untilId: string },
): Promise<CountedDay[]> {
  return tx.rows<CountedDay>(
    `with made as (
       select 'events' as kind, (received_at at time zone 'UTC')::date as day from events
        where tenant_id = $1 and id >= $4 and id < $5 and received_at >= $2 and received_at < $3
       union all
       select 'calls', (created_at at time zone 'UTC')::date from calls
        where tenant_id = $1 and id >= $4 and id < $5 and created_at >= $2 and created_at < $3 and merged_into is null
       union all
       select 'messages', (created_at at time zone 'UTC')::date from messages
        where tenant_id = $1 and created_at >= $2 and created_at < $3
       union all
       select 'deliveries', (created_at at time zone 'UTC')::date from deliveries
        where tenant_id = $1 and id >= $4 and id < $5 and created_at >= $2 and created_at < $3
       union all
       select 'attempts', (started_at at time zone 'UTC')::date from attempts
        where tenant_id = $1 and started_at >= $2 and started_at < $3)
     select day::text as day, count(*) filter (where kind = 'events')::int as events, count(*) filter (where kind = 'calls')::int as calls,
            count(*) filter (where kind = 'messages')::int as messages, count(*) filter (where kind = 'deliveries')::int as deliveries,
            count(*) filter (where kind = 'attempts')::int as attempts
       from made group by day order by day`,
    [tenant, range.from, range.until, range.fromId, range.untilId],
  );
}
