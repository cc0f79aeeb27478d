import type { Tx } from "#/db/transaction.ts";

import { endpointVersion } from "../endpoints/store.ts";
import type { Gate } from "../health/allowance.ts";
import { type EndpointRef, epochMs, type HealthColumns, healthColumns, healthOf, refColumns } from "../health/store.ts";
import type { ReadyLane } from "./lane-store.ts";
import { messageOf } from "./message-store.ts";

/** Holds the rows of endpoints whose limits are to be counted. Those that somebody else holds are left out. */
export async function lockGates(tx: Tx, endpoints: readonly EndpointRef[]): Promise<EndpointRef[]> {
  const rows = await tx.rows<{ tenant_id: string; endpoint_id: string }>(
    `select h.tenant_id, h.endpoint_id from endpoint_health h
       join unnest($1::uuid[], $2::uuid[]) as w (tenant_id, endpoint_id) on h.tenant_id = w.tenant_id and h.endpoint_id = w.endpoint_id
      for no key update of h skip locked`,
    refColumns(endpoints),
    "delivery.lock-gates",
  );
  return rows.map((row) => ({ tenantId: row.tenant_id, endpointId: row.endpoint_id }));
}

export type GateRow = EndpointRef & { readonly gate: Gate; readonly isOrdered: boolean; readonly nowMs: number };

/** What limits endpoints, read by a statement of its own after their rows are held: it sees every claim before this one. */
export async function readGates(tx: Tx, endpoints: readonly EndpointRef[]): Promise<GateRow[]> {
  type Row = HealthColumns & {
    readonly tenant_id: string;
    readonly endpoint_id: string;
    readonly tokens: number | null;
    readonly refilled_ms: number;
    readonly rate_limit: number | null;
    readonly rate_per_seconds: number | null;
    readonly rate_burst: number | null;
    readonly in_flight_max: number;
    readonly in_flight: number;
    readonly is_paused: boolean;
    readonly is_breaker_on: boolean;
    readonly is_ordered: boolean;
    readonly now_ms: number;
  };
  const rows = await tx.rows<Row>(
    `select h.tenant_id, h.endpoint_id, ${healthColumns("h")}, h.tokens, ${epochMs("h.refilled_at")} as refilled_ms,
            e.rate_limit, e.rate_per_seconds, e.rate_burst, e.in_flight_max, f.in_flight, e.paused_at is not null as is_paused,
            e.is_breaker_on, e.order_mode <> 'none' as is_ordered, ${epochMs("clock_timestamp()")} as now_ms
       from unnest($1::uuid[], $2::uuid[]) as w (tenant_id, endpoint_id)
       cross join lateral (select * from endpoint_health where tenant_id = w.tenant_id and endpoint_id = w.endpoint_id limit 1) as h
       cross join lateral (select * from endpoints where tenant_id = w.tenant_id and id = w.endpoint_id limit 1) as e
       cross join lateral (select count(*)::int as in_flight from deliveries d
                            where d.tenant_id = w.tenant_id and d.endpoint_id = w.endpoint_id and d.state = 'claimed') as f`,
    refColumns(endpoints),
    "delivery.read-gates",
  );
  return rows.map((row) => {
    const { rate_limit: limit, rate_per_seconds: per_seconds, rate_burst: burst } = row;
    return {
      tenantId: row.tenant_id,
      endpointId: row.endpoint_id,
      isOrdered: row.is_ordered,
      nowMs: row.now_ms,
      gate: {
        health: healthOf(row),
        tokens: row.tokens,
        refilledAtMs: row.refilled_ms,
        rate: limit === null || per_seconds === null || burst === null ? null : { limit, per_seconds, burst },
        inFlightMax: row.in_flight_max,
        inFlight: row.in_flight,
        isPaused: row.is_paused,
        isBreakerOn: row.is_breaker_on,
      },
    };
  });
}

export type Spent = EndpointRef & {
  /** What is left in the bucket at `atMs`; null: it has no rate. */
  readonly tokens: number | null;
  readonly atMs: number;
};

/** Writes what a claim took from endpoints whose rows it holds. The first attempt after an open breaker is its probe. */
export async function spendGates(tx: Tx, spent: readonly Spent[]): Promise<void> {
  await tx.run(
    `update endpoint_health h set tokens = s.tokens, refilled_at = to_timestamp(s.at_ms / 1000),
            breaker = case when h.breaker = 'open' then 'half_open' else h.breaker end
       from unnest($1::uuid[], $2::uuid[], $3::float8[], $4::float8[]) as s (tenant_id, endpoint_id, tokens, at_ms)
      where h.tenant_id = s.tenant_id and h.endpoint_id = s.endpoint_id`,
    [...refColumns(spent), spent.map(({ tokens }) => tokens), spent.map(({ atMs }) => atMs)],
    "delivery.spend-gates",
  );
}

export type Quota = EndpointRef & Pick<ReadyLane, "isRetry" | "first"> & { readonly rows: number };
export type ClaimInput = {
  readonly quotas: readonly Quota[];
  readonly claimId: string;
  readonly leaseMs: number;
  /**
   * How bodies travel: as text costs a third of what bytes do, which pg writes and reads in hex. A body that is no UTF-8 fails
   * as text, and the claim with it.
   */
  readonly bodies: "text" | "bytes";
  /** Bytes of bodies: what is claimed after that many comes without its body. */
  readonly bytesMax: number;
};

export type ClaimedRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly message_id: string;
  readonly endpoint_id: string;
  readonly endpoint_version: string;
  readonly type: string;
  readonly received_ms: number;
  readonly attempt_count: number;
  readonly manual_count: number;
  readonly is_manual: boolean;
  readonly is_retry: boolean;
  /** Whether it exists because of an event, and not because somebody sends it again. */
  readonly is_original: boolean;
  /** Processes in a row that ended while they had it. */
  readonly lost_count: number;
  readonly was_exhausted: boolean;
  /** How long it had been due, milliseconds. */
  readonly late_ms: number;
  readonly call_id: string | null;
  readonly order_key: string | null;
  readonly sequence: number | null;
  readonly traceparent: string | null;
  /** The first number before it that has not arrived, where the endpoint wants order. */
  readonly gap: number | null;
  /** Which of its forms the body has; not the endpoint's where that was changed after the message was written. */
  readonly form: string;
  /** Null: there is no room for it, and the claim has to be given back. */
  readonly body: string | Buffer | null;
};

/** Takes the oldest due deliveries of lanes, as many as their quotas say. Rows that somebody else just takes are passed over. */
export async function claimLanes(tx: Tx, input: ClaimInput): Promise<ClaimedRow[]> {
  if (input.quotas.length === 0) return [];
  return tx.rows<ClaimedRow>(
    `with ${sending},
     picked as materialized (
       select d.place, s.form, s.version
         from sending s cross join lateral (
              select d.ctid as place from deliveries d
               where d.tenant_id = s.tenant_id and d.endpoint_id = s.endpoint_id and d.is_retry = s.is_retry
                 and d.state = 'due' and not d.is_blocked and (d.due_at, d.id) >= (s.due_from, s.id_from) and d.due_at <= now() and (s.is_enabled or d.is_forced)
               order by d.due_at, d.id limit s.quota for update skip locked) as d)
     ${claimPicked[input.bodies]}`,
    claimValues(input),
    `delivery.claim-lanes-${input.bodies}`,
  );
}

/**
 * The same for endpoints that want order, whose rows this transaction holds: of each line at most one is in flight. In the
 * strict mode it is the first that is not at its end; in the mode skip the first that was not tried yet, or a retry. What has
 * to wait is marked, so that it is not looked at again until something of its line ends.
 */
export async function claimLines(tx: Tx, input: ClaimInput): Promise<ClaimedRow[]> {
  if (input.quotas.length === 0) return [];
  return tx.rows<ClaimedRow>(
    `with ${sending},
     candidate as materialized (
       select s.*, d.place, d.id, d.order_key, d.sequence, d.is_tried, d.due_at
         from sending s cross join lateral (
              select d.ctid as place, d.id, d.order_key, d.sequence, d.attempt_count > 0 as is_tried, d.due_at from deliveries d
               where d.tenant_id = s.tenant_id and d.endpoint_id = s.endpoint_id and d.is_retry = s.is_retry
                 and d.state = 'due' and not d.is_blocked and (d.due_at, d.id) >= (s.due_from, s.id_from) and d.due_at <= now() and (s.is_enabled or d.is_forced)
               order by d.due_at, d.id limit s.quota + 100 for update skip locked) as d),
     judged as materialized (
       select c.*, c.order_key is not null and exists (
                select from deliveries o
                 where o.tenant_id = c.tenant_id and o.endpoint_id = c.endpoint_id and o.order_key = c.order_key and o.id <> c.id
                   and o.state <> 'delivered'
                   and (o.state = 'claimed' or (o.state = 'due' and o.sequence < c.sequence
                         and (c.order_mode = 'strict' or (not c.is_tried and o.attempt_count = 0))))) as must_wait
         from candidate c),
     blocked as (
       update deliveries d set is_blocked = true from judged j where j.must_wait and d.tenant_id = j.tenant_id and d.id = j.id),
     heads as (
       select j.*, row_number() over (partition by j.tenant_id, j.endpoint_id, coalesce(j.order_key, j.id::text) order by j.sequence, j.id) as rank
         from judged j where not j.must_wait),
     picked as materialized (
       select place, form, version
         from (select h.*, row_number() over (partition by h.tenant_id, h.endpoint_id, h.is_retry order by h.due_at, h.id) as nth
                 from heads h where h.rank = 1) as n
        where n.nth <= n.quota)
     ${claimPicked[input.bodies]}`,
    claimValues(input),
    `delivery.claim-lines-${input.bodies}`,
  );
}

const sending = `
  sending as (
    select q.*, e.body_form as form, e.order_mode, e.disabled_at is null as is_enabled, ${endpointVersion} as version
      from unnest($1::uuid[], $2::uuid[], $3::bool[], $4::int[], $5::timestamptz[], $6::uuid[])
        as q (tenant_id, endpoint_id, is_retry, quota, due_from, id_from)
      cross join lateral (select * from endpoints where tenant_id = q.tenant_id and id = q.endpoint_id limit 1) as e)`;

const claimPickedWith = (body: string) => `,
  claimed as (
    update deliveries d set state = 'claimed', claim_id = $7, claimed_by = nullif(current_setting('app.process', true), '')::int, lease_until = now() + $8 * interval '1 millisecond'
      from picked p
     where d.ctid = p.place
    returning d.tenant_id, d.id, d.message_id, d.endpoint_id, p.version, p.form, d.attempt_count, d.manual_count, d.resume_at, d.is_retry,
              d.cause, d.reason, d.due_at, d.order_key as line, d.sequence as line_sequence,
              d.lost_count)
  select c.tenant_id, c.id, c.message_id, c.endpoint_id, c.version as endpoint_version, m.type, m.received_ms, c.attempt_count,
         c.manual_count, c.resume_at is not null as is_manual, c.is_retry, c.cause = 'event' as is_original, c.lost_count,
         c.reason is not distinct from 'exhausted' as was_exhausted, ${epochMs("now() - c.due_at")} as late_ms,
         m.call_id, m.order_key, m.sequence, m.traceparent,
         case when c.line is not null then
           (select min(o.sequence) from deliveries o where o.tenant_id = c.tenant_id and o.endpoint_id = c.endpoint_id
               and o.order_key = c.line and o.state <> 'delivered' and o.sequence < c.line_sequence) end as gap,
         b.format as form,
         case when coalesce(sum(octet_length(b.body)) over (rows between unbounded preceding and 1 preceding), 0) < $9::bigint then ${body} end as body
    from claimed c ${messageOf("c", `type, call_id, order_key, sequence, traceparent, ${epochMs("received_at")} as received_ms`)}
         cross join lateral (select format, body from message_bodies b where b.tenant_id = c.tenant_id and b.message_id = c.message_id
                              order by (b.format = c.form) desc, (b.format = 'standard') desc limit 1) as b`;

const claimPicked = { text: claimPickedWith("convert_from(b.body, 'UTF8')"), bytes: claimPickedWith("b.body") };

function claimValues({ quotas, claimId, leaseMs, bytesMax }: ClaimInput): unknown[] {
  return [
    ...refColumns(quotas),
    quotas.map(({ isRetry }) => isRetry),
    quotas.map(({ rows }) => rows),
    quotas.map(({ first }) => first.dueAt),
    quotas.map(({ first }) => first.id),
    claimId,
    leaseMs,
    bytesMax,
  ];
}
