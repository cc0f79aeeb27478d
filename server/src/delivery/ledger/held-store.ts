import type { HeldCause } from "@aftercall/contract/undelivered.ts";

import type { Tx } from "#/db/transaction.ts";

import { messageOf } from "../queue/message-store.ts";

export type HeldRow = {
  readonly id: string;
  readonly message_id: string;
  readonly endpoint_id: string;
  readonly type: string;
  readonly call_id: string | null;
  readonly cause: HeldCause;
  readonly blocked_by: string | null;
  readonly attempt_count: number;
  readonly accepted_at: Date;
  readonly age_seconds: number;
  readonly next_attempt_at: Date | null;
};

export type HeldFilter = { readonly endpointId: string | null; readonly cause: HeldCause | null };

/** What waits, newest first. */
export async function listHeld(
  tx: Tx,
  tenantId: string,
  filter: HeldFilter,
  page: { readonly before: string | null; readonly limit: number },
): Promise<HeldRow[]> {
  return tx.rows<HeldRow>(
    `select h.id, h.message_id, h.endpoint_id, m.type, m.call_id, h.cause, h.blocked_by, h.attempt_count, m.created_at as accepted_at,
            extract(epoch from now() - m.created_at)::int as age_seconds,
            case when h.cause in ('retry', 'scheduled', 'throttled', 'breaker', 'in_line') then h.next_at end as next_attempt_at
       from (
         select d.tenant_id, d.id, d.message_id, d.endpoint_id, d.attempt_count,
                ${causeOf} as cause,
                case when d.is_blocked then (
                  select o.id from deliveries o
                   where o.tenant_id = d.tenant_id and o.endpoint_id = d.endpoint_id and o.order_key = d.order_key and o.id <> d.id
                     and o.state <> 'delivered' and (o.state = 'claimed' or (o.state = 'due' and o.sequence < d.sequence))
                   order by o.sequence limit 1) end as blocked_by,
                greatest(d.due_at, h.not_before, case when h.breaker = 'open' then h.open_until end) as next_at
           from deliveries d join endpoints e on e.tenant_id = d.tenant_id and e.id = d.endpoint_id
                join endpoint_health h on h.tenant_id = d.tenant_id and h.endpoint_id = d.endpoint_id
          where d.tenant_id = $1 and d.state = 'due' and ($2::uuid is null or d.endpoint_id = $2) and ($3::uuid is null or d.id < $3)) as h
       ${messageOf("h", "type, call_id, created_at")}
      where $4::text is null or h.cause = $4
      order by h.id desc limit $5`,
    [tenantId, filter.endpointId, page.before, filter.cause, page.limit],
  );
}

/** The most lasting cause first: a paused endpoint waits for a person, a retry for a minute. */
const causeOf = `case
  when d.due_at = 'infinity' and d.cause = 'event' then 'campaign_paused'
  when d.due_at = 'infinity' then 'resend_paused'
  when e.paused_at is not null then 'paused'
  when d.is_blocked then 'order'
  when d.due_at > now() and d.attempt_count = 0 then 'scheduled'
  when h.breaker <> 'closed' and e.is_breaker_on then 'breaker'
  when h.not_before > now() then 'throttled'
  when d.due_at > now() then 'retry'
  when h.refilled_at + greatest(1 - h.tokens, 0) * e.rate_per_seconds / e.rate_limit * interval '1 second' > now() then 'throttled'
  else 'in_line' end`;
