import type { WhyUndelivered } from "@aftercall/contract/undelivered.ts";

import type { Tx } from "#/db/transaction.ts";

import { messageOf } from "../queue/message-store.ts";

/** Which of what did not arrive; null: all. Times are about when the message was accepted. */
export type UndeliveredFilter = {
  readonly reasons: readonly WhyUndelivered[] | null;
  readonly endpointId: string | null;
  readonly types: readonly string[] | null;
  readonly callIds: readonly string[] | null;
  readonly since: string | null;
  /** Exclusive. */
  readonly until: string | null;
  readonly deliveryIds: readonly string[] | null;
  readonly messageIds: readonly string[] | null;
};

export type UndeliveredRow = {
  /** Of the delivery, or of the message where there was none. */
  readonly id: string;
  readonly is_delivery: boolean;
  readonly reason: WhyUndelivered;
  readonly message_id: string;
  readonly endpoint_id: string | null;
  readonly type: string;
  readonly call_id: string | null;
  readonly attempt_count: number;
  readonly accepted_at: Date;
  readonly undelivered_at: Date;
  readonly is_resendable: boolean;
};

/** The first parameters of every statement about the list: the tenant and {@link UndeliveredFilter}. */
export function filterValues(tenantId: string, filter: UndeliveredFilter): unknown[] {
  return [
    tenantId,
    filter.reasons,
    filter.endpointId,
    filter.types,
    filter.callIds,
    filter.since,
    filter.until,
    filter.deliveryIds,
    filter.messageIds,
  ];
}

/** How many parameters {@link filterValues} are. */
export const filterSize = 9;

const aboutMessage = `($4::text[] is null or m.type = any ($4)) and ($5::uuid[] is null or m.call_id = any ($5))
  and ($6::timestamptz is null or m.created_at >= $6) and ($7::timestamptz is null or m.created_at < $7)
  and ($9::uuid[] is null or m.id = any ($9))`;

/**
 * Deliveries that ended without success (alias `d`, message `m`), of each series of attempts the last one, and messages that
 * went to no endpoint (alias `m`): two halves of one list with one key, `id`. The halves take conditions and an end of their
 * own, so that a page reads no more than it shows.
 */
export function undeliveredHalves(
  columns: { readonly ofDelivery: string; readonly ofMessage: string },
  more: { readonly ofDelivery: string; readonly ofMessage: string },
): { readonly deliveries: string; readonly messages: string } {
  return {
    deliveries: `select ${columns.ofDelivery}
       from deliveries d ${messageOf("d", "id, type, call_id, campaign_id, created_at, expired_at")}
      where d.tenant_id = $1 and d.state = 'undelivered' and d.replaced_by is null and ($2::text[] is null or d.reason = any ($2))
        and ($3::uuid is null or d.endpoint_id = $3) and ($8::uuid[] is null or d.id = any ($8)) and ${aboutMessage}
        ${more.ofDelivery}`,
    messages: `select ${columns.ofMessage}
       from messages m
      where m.tenant_id = $1 and m.unrouted_reason is not null and m.resent_at is null
        and ($2::text[] is null or m.unrouted_reason = any ($2)) and $3::uuid is null and $8::uuid[] is null and ${aboutMessage}
        ${more.ofMessage}`,
  };
}

const rowColumns = {
  ofDelivery: `d.id, true as is_delivery, d.reason, d.message_id, d.endpoint_id, m.type, m.call_id, d.attempt_count,
    m.created_at as accepted_at, coalesce(d.finished_at, d.created_at) as undelivered_at, m.expired_at is null as is_resendable`,
  ofMessage: `m.id, false as is_delivery, m.unrouted_reason as reason, m.id as message_id, null::uuid as endpoint_id, m.type, m.call_id,
    0 as attempt_count, m.created_at as accepted_at, m.created_at as undelivered_at, m.expired_at is null as is_resendable`,
};

/** Newest first. */
export async function listUndelivered(
  tx: Tx,
  tenantId: string,
  filter: UndeliveredFilter,
  page: { readonly before: string | null; readonly limit: number },
): Promise<UndeliveredRow[]> {
  const end = (alias: string) => `and ($10::uuid is null or ${alias}.id < $10) order by ${alias}.id desc limit $11`;
  const halves = undeliveredHalves(rowColumns, { ofDelivery: end("d"), ofMessage: end("m") });
  return tx.rows<UndeliveredRow>(
    `select * from ((${halves.deliveries}) union all (${halves.messages})) as u order by id desc limit $11`,
    [...filterValues(tenantId, filter), page.before, page.limit],
  );
}

export type CountRow = { readonly reason: WhyUndelivered; readonly count: number; readonly oldest_at: Date };

/** How many by reason, the most frequent first. */
export async function countUndelivered(tx: Tx, tenantId: string, filter: UndeliveredFilter): Promise<CountRow[]> {
  const columns = {
    ofDelivery: "d.reason, m.created_at as accepted_at",
    ofMessage: "m.unrouted_reason as reason, m.created_at as accepted_at",
  };
  const halves = undeliveredHalves(columns, { ofDelivery: "", ofMessage: "" });
  return tx.rows<CountRow>(
    `select reason, count(*)::int as count, min(accepted_at) as oldest_at
       from (${halves.deliveries} union all ${halves.messages}) as u group by reason order by 2 desc, 1`,
    filterValues(tenantId, filter),
  );
}
