import type { CallDirection } from "@aftercall/contract/call.ts";

import type { Tx } from "#/db/transaction.ts";

import type { Cursor, Selection } from "./selection.ts";

/** A message whose bytes are kept, and how it stands with one endpoint. */
export type MessageFor = {
  readonly id: string;
  /** Exactly, for the cursor. */
  readonly at: string;
  readonly type: string;
  readonly call_id: string | null;
  readonly campaign_id: string | null;
  readonly channels: readonly string[];
  readonly direction: CallDirection | null;
  readonly accepted_at: Date;
  readonly was_meant: boolean;
  readonly has_arrived: boolean;
  readonly is_open: boolean;
  readonly was_closed: boolean;
  /** In the standard format, where filters are asked of it. */
  readonly body: Buffer | null;
};

/** The next messages of a resend to one endpoint, in the order in which they were accepted. */
export async function nextMessages(
  tx: Tx,
  { tenantId, filter, upperAt }: Selection,
  endpointId: string,
  page: { readonly after: Cursor | null; readonly limit: number; readonly withBodies: boolean },
): Promise<MessageFor[]> {
  return tx.rows<MessageFor>(
    `select m.id, m.created_at::text as at, m.type, m.call_id, m.campaign_id, m.channels, m.created_at as accepted_at, c.direction,
            s.was_meant, s.has_arrived, s.is_open, s.was_closed, b.body
       from messages m
       left join lateral (select direction from calls where tenant_id = m.tenant_id and id = m.call_id limit 1) as c on true
       cross join lateral (
         select count(*) > 0 as was_meant, coalesce(bool_or(d.state = 'delivered'), false) as has_arrived,
                coalesce(bool_or(d.state not in ('delivered', 'undelivered')), false) as is_open,
                coalesce(bool_or(d.state = 'undelivered' and d.replaced_by is null and d.reason = any ($9::text[])), false) as was_closed
           from deliveries d where d.tenant_id = m.tenant_id and d.message_id = m.id and d.endpoint_id = $2) as s
       left join lateral (select body from message_bodies where $14 and tenant_id = m.tenant_id and message_id = m.id and format = 'standard') as b
              on true
      where m.tenant_id = $1 and m.expired_at is null and m.created_at <= $3::timestamptz
        and ($4::text[] is null or m.type = any ($4)) and ($5::uuid[] is null or m.call_id = any ($5))
        and ($6::timestamptz is null or m.created_at >= $6 or s.was_closed) and ($7::timestamptz is null or m.created_at < $7)
        and ($8::uuid[] is null or m.id = any ($8))
        and ($10::timestamptz is null or m.created_at >= $10)
        and ($11::timestamptz is null or (m.created_at, m.id) > ($11, $12::uuid))
      order by m.created_at, m.id limit $13`,
    [
      tenantId,
      endpointId,
      upperAt,
      filter.types,
      filter.callIds,
      filter.since,
      filter.until,
      filter.messageIds,
      filter.closedReasons ?? [],
      // With closed reasons also older ones are asked for.
      filter.closedReasons === null ? filter.since : null,
      page.after?.at ?? null,
      page.after?.id ?? null,
      page.limit,
      page.withBodies,
    ],
  );
}
