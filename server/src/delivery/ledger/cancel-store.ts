import type { Tx } from "#/db/transaction.ts";

import { messageOf } from "../queue/message-store.ts";

/** Which deliveries; null: all. Times are about when the message was accepted. */
export type CancelFilter = {
  readonly endpointId: string | null;
  readonly types: readonly string[] | null;
  readonly callIds: readonly string[] | null;
  readonly since: string | null;
  /** Exclusive. */
  readonly until: string | null;
  readonly deliveryIds: readonly string[] | null;
  readonly messageIds: readonly string[] | null;
  readonly isTried: boolean | null;
};

const matching = `d.tenant_id = $1 and ($2::uuid is null or d.endpoint_id = $2) and ($3::uuid[] is null or d.id = any ($3))
  and ($4::uuid[] is null or d.message_id = any ($4)) and ($5::boolean is null or (d.attempt_count > 0) = $5)
  and ($6::text[] is null or m.type = any ($6)) and ($7::uuid[] is null or m.call_id = any ($7))
  and ($8::timestamptz is null or m.created_at >= $8) and ($9::timestamptz is null or m.created_at < $9)`;

function valuesOf(tenantId: string, filter: CancelFilter): unknown[] {
  return [
    tenantId,
    filter.endpointId,
    filter.deliveryIds,
    filter.messageIds,
    filter.isTried,
    filter.types,
    filter.callIds,
    filter.since,
    filter.until,
  ];
}

/** How many wait, and how many are being sent. */
export async function countOpen(
  tx: Tx,
  tenantId: string,
  filter: CancelFilter,
): Promise<{ readonly waiting: number; readonly inFlight: number }> {
  const [row] = await tx.rows<{ waiting: number; in_flight: number }>(
    `select count(*) filter (where d.state = 'due')::int as waiting, count(*) filter (where d.state = 'claimed')::int as in_flight
       from deliveries d ${messageOf("d", "type, call_id, created_at")}
      where d.state in ('due', 'claimed') and ${matching}`,
    valuesOf(tenantId, filter),
  );
  return { waiting: row?.waiting ?? 0, inFlight: row?.in_flight ?? 0 };
}

export type WaitingRow = {
  readonly delivery_id: string;
  readonly message_id: string;
  readonly endpoint_id: string;
  readonly type: string;
  readonly call_id: string | null;
  readonly accepted_at: Date;
};

/** Some of those that wait, the oldest first. */
export async function someWaiting(
  tx: Tx,
  tenantId: string,
  filter: CancelFilter,
  limit: number,
): Promise<WaitingRow[]> {
  return tx.rows<WaitingRow>(
    `select d.id as delivery_id, d.message_id, d.endpoint_id, m.type, m.call_id, m.created_at as accepted_at
       from deliveries d ${messageOf("d", "type, call_id, created_at")}
      where d.state = 'due' and ${matching} order by d.id limit $10`,
    [...valuesOf(tenantId, filter), limit],
  );
}

export type CancelledRow = { readonly id: string; readonly endpoint_id: string; readonly is_in_line: boolean };

/** Ends those that wait, the oldest first. Rows that somebody takes at this moment are passed over. */
export async function cancelWaiting(
  tx: Tx,
  tenantId: string,
  filter: CancelFilter,
  rowsMax: number,
): Promise<CancelledRow[]> {
  return tx.rows<CancelledRow>(
    `update deliveries w set state = 'undelivered', reason = 'cancelled', resume_at = null, is_blocked = false, finished_at = now()
       from (select d.tenant_id, d.id from deliveries d ${messageOf("d", "type, call_id, created_at")}
              where d.state = 'due' and ${matching} order by d.id limit $10 for update of d skip locked) as picked
      where w.tenant_id = picked.tenant_id and w.id = picked.id
      returning w.id, w.endpoint_id, w.order_key is not null as is_in_line`,
    [...valuesOf(tenantId, filter), rowsMax],
  );
}
