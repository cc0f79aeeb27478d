import { cut, longColumn, plainColumn, textColumn } from "#/db/columns.ts";
import type { Tx } from "#/db/transaction.ts";
import { notify } from "#/db/wake.ts";

import { type EndpointRef, refColumns } from "../health/store.ts";
import { unblockReleased } from "./line-store.ts";

/** What was still due for endpoints that are disabled is undelivered: it does not wait for somebody to look. */
export async function closeDisabled(tx: Tx, tenantIds: readonly string[]): Promise<number> {
  return tx.run(
    `update deliveries d set state = 'undelivered', resume_at = null, finished_at = now(), is_blocked = false, reason = w.reason
       from (select e.tenant_id, x.id,
                    case when e.deleted_at is not null then 'endpoint_deleted'
                         when e.disabled_reason = 'gone' then 'gone' else 'endpoint_disabled' end as reason
               from endpoints e cross join lateral (
                    (select id from deliveries where tenant_id = e.tenant_id and endpoint_id = e.id and state = 'due' and not is_blocked and not is_forced)
                    union all
                    (select id from deliveries where tenant_id = e.tenant_id and endpoint_id = e.id and state = 'due' and is_blocked and not is_forced)
                    ) as x
              where e.tenant_id = any ($1::uuid[]) and e.disabled_at is not null) as w
      where d.tenant_id = w.tenant_id and d.id = w.id and d.state = 'due'`,
    [tenantIds],
    "delivery.close-disabled",
  );
}

export type ResultRow = {
  readonly tenantId: string;
  readonly deliveryId: string;
  readonly claimId: string;
  readonly state: "delivered" | "due" | "undelivered";
  /** Until the next attempt; null: at `resume_at` after a failed attempt made by hand. */
  readonly delayMs: number | null;
  readonly reason: string | null;
  readonly isManual: boolean;
  readonly trigger: "schedule" | "manual" | "resend";
  /** Where it went: endpoints change. */
  readonly url: string;
  readonly number: number;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly status: number;
  readonly class: string;
  readonly error: string | null;
  /** JSON. */
  readonly requestHeaders: string | null;
  readonly responseHeaders: string | null;
  readonly responseBody: Buffer;
};

export type Settled = {
  /** Deliveries whose claim held. */
  readonly held: ReadonlySet<string>;
  /** Endpoints of which a success is worth writing: they failed before, or their breaker is not closed. */
  readonly unclean: ReadonlySet<string>;
  /** Tenants of which somebody follows live what becomes of deliveries. */
  readonly followed: ReadonlySet<string>;
};

/**
 * Writes what became of attempts, each only while its claim still holds: a process that lost its lease changes nothing.
 * An attempt made by hand that failed leaves the schedule where it was: due when it would have been, or at its end again.
 */
export async function settleDeliveries(
  tx: Tx,
  results: readonly ResultRow[],
  node: string,
  endpoints: readonly EndpointRef[],
): Promise<Settled> {
  const held = new Set<string>();
  const unclean = new Set<string>();
  const followed = new Set<string>();
  for (let rest = results; rest.length > 0;) {
    const rows = await settleRows(tx, rest, node, endpoints);
    for (const row of rows) if (row.is_settled) held.add(row.id);
    for (const id of rows[0]?.unclean ?? []) unclean.add(id);
    for (const id of rows[0]?.followed ?? []) followed.add(id);
    // Somebody else changed these between the look at them and the change (a claim renewed, one more try asked for). The next
    // statement sees their newest versions.
    const moved = new Set(rows.flatMap((row) => (row.is_settled ? [] : row.id)));
    rest = rest.filter(({ deliveryId }) => moved.has(deliveryId));
  }
  return { held, unclean, followed };
}

type SettledRow = {
  readonly id: string;
  readonly is_settled: boolean;
  readonly unclean: string[] | null;
  readonly followed: string[] | null;
};

function settleRows(
  tx: Tx,
  results: readonly ResultRow[],
  node: string,
  endpoints: readonly EndpointRef[],
): Promise<SettledRow[]> {
  const sent = longColumn(results.map((row) => row.requestHeaders ?? ""));
  const headers = longColumn(results.map((row) => row.responseHeaders ?? ""));
  const bodies = longColumn(results.map((row) => row.responseBody));
  return tx.rows<SettledRow>(
    settleSql,
    [
      plainColumn(results.map((row) => row.tenantId)),
      plainColumn(results.map((row) => row.deliveryId)),
      plainColumn(results.map((row) => row.claimId)),
      plainColumn(results.map((row) => row.state)),
      plainColumn(results.map((row) => row.delayMs)),
      plainColumn(results.map((row) => row.reason)),
      plainColumn(results.map((row) => Number(row.isManual))),
      plainColumn(results.map((row) => row.number)),
      plainColumn(results.map((row) => row.startedAtMs)),
      plainColumn(results.map((row) => Math.round(row.durationMs))),
      plainColumn(results.map((row) => row.status)),
      plainColumn(results.map((row) => row.class)),
      textColumn(results.map((row) => row.error)),
      plainColumn(results.map((row) => row.trigger)),
      textColumn(results.map((row) => row.url)),
      sent.starts,
      sent.lengths,
      headers.starts,
      headers.lengths,
      bodies.starts,
      bodies.lengths,
      sent.bytes,
      headers.bytes,
      bodies.bytes,
      node,
      ...refColumns(endpoints),
    ],
    "delivery.settle",
  );
}

const settleSql = `
  with result as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::float8[], $6::text[], $7::int[], $8::int[], $9::float8[],
                         $10::int[], $11::int[], $12::text[], $13::text[], $14::text[], $15::text[], $16::int[], $17::int[], $18::int[],
                         $19::int[], $20::int[], $21::int[])
      as r (tenant_id, delivery_id, claim_id, state, delay_ms, reason, is_manual, number, started_ms, duration_ms, status, class, error,
            trigger, url, sent_start, sent_length, headers_start, headers_length, body_start, body_length)),
  -- Row by row through the key and then by place, whatever the planner thinks of the table: a plan made while it was small
  -- would read all of it for every batch.
  held as materialized (
    select r.*, d.place from result r cross join lateral (
           select ctid as place from deliveries
            where tenant_id = r.tenant_id and id = r.delivery_id and claim_id = r.claim_id limit 1) as d),
  settled as (
    update deliveries d set
           state = case when r.delay_ms is null and r.state = 'due' and d.resume_at = 'infinity' and d.manual_pending < 2 then 'undelivered'
                        else r.state end,
           due_at = case when r.state <> 'due' then d.due_at
                         when r.delay_ms is not null then now() + r.delay_ms * interval '1 millisecond'
                         when d.manual_pending > 1 then now()
                         when d.resume_at = 'infinity' then d.due_at
                         else greatest(d.resume_at, now()) end,
           reason = case when r.state = 'due' and r.delay_ms is null then d.reason
                         when r.reason = 'exhausted' and r.class = 'blocked_target' and not exists (
                           select from attempts a where a.tenant_id = d.tenant_id and a.delivery_id = d.id and a.class <> 'blocked_target')
                           then 'blocked'
                         else r.reason end,
           finished_at = case when r.state <> 'due' or (r.delay_ms is null and d.resume_at = 'infinity' and d.manual_pending < 2) then now() end,
           attempt_count = r.number,
           manual_count = d.manual_count + r.is_manual,
           -- Asked for by hand more than once: the next one follows at once, unless this one arrived.
           resume_at = case when r.state = 'due' and r.delay_ms is null and d.manual_pending > 1 then d.resume_at end,
           manual_pending = case when r.state = 'due' and r.delay_ms is null then greatest(d.manual_pending - 1, 0) else 0 end,
           lost_count = 0, claim_id = null, lease_until = null
      from held r
     where d.ctid = r.place and d.claim_id = r.claim_id
     returning d.tenant_id, d.id),
  recorded as (
    insert into attempts (tenant_id, delivery_id, number, started_at, duration_ms, status, class, error, node, trigger, url)
    select r.tenant_id, r.delivery_id, r.number, to_timestamp(r.started_ms / 1000), r.duration_ms, r.status, r.class, r.error, $25, r.trigger, r.url
      from held r join settled s on s.tenant_id = r.tenant_id and s.id = r.delivery_id),
  answered as (
    insert into attempt_bodies (tenant_id, delivery_id, number, started_at, request_headers, response_headers, response_body)
    select r.tenant_id, r.delivery_id, r.number, to_timestamp(r.started_ms / 1000),
           case when r.sent_length > 0 then ${cut("$22", "r.sent_start", "r.sent_length")}::json end,
           case when r.headers_length > 0 then ${cut("$23", "r.headers_start", "r.headers_length")}::jsonb end,
           case when r.body_length > 0 then substr($24::bytea, r.body_start, r.body_length) end
      from held r join settled s on s.tenant_id = r.tenant_id and s.id = r.delivery_id
     where r.sent_length > 0 or r.headers_length > 0 or r.body_length > 0)
  select h.delivery_id as id, s.id is not null as is_settled,
         (select array_agg(h.endpoint_id) from unnest($26::uuid[], $27::uuid[]) as e (tenant_id, id) cross join lateral (
                select endpoint_id, is_clean from endpoint_health where tenant_id = e.tenant_id and endpoint_id = e.id limit 1) as h
               where not h.is_clean) as unclean,
         -- Once for each tenant, and after the results are written: see follows_deliveries.
         (select array_agg(t.tenant_id) from (select tenant_id from settled group by tenant_id) as t
           where follows_deliveries(t.tenant_id)) as followed
    from held h left join settled s on s.tenant_id = h.tenant_id and s.id = h.delivery_id`;

export type Held = { readonly tenantId: string; readonly deliveryId: string; readonly claimId: string };

/** Renews claims. Rows that somebody else is just changing are left alone: their time comes again. */
export async function renewLeases(tx: Tx, held: readonly Held[], leaseMs: number): Promise<number> {
  return tx.run(
    `update deliveries d set lease_until = now() + $4 * interval '1 millisecond' from (${lockHeld}) as h
      where d.tenant_id = h.tenant_id and d.id = h.id`,
    [...heldColumns(held), leaseMs],
    "delivery.renew-leases",
  );
}

/** Gives claims back: what was not sent is due again at once, for anybody. */
export async function releaseDeliveries(tx: Tx, held: readonly Held[]): Promise<void> {
  await tx.run(
    `update deliveries d set state = 'due', claim_id = null, lease_until = null from (${lockHeld}) as h
      where d.tenant_id = h.tenant_id and d.id = h.id`,
    heldColumns(held),
    "delivery.release",
  );
  await notify(tx, "deliveries", "earlier");
}

const lockHeld = `
  select d.tenant_id, d.id from deliveries d
    join unnest($1::uuid[], $2::uuid[], $3::uuid[]) as h (tenant_id, id, claim_id)
      on d.tenant_id = h.tenant_id and d.id = h.id and d.claim_id = h.claim_id
   order by d.id for update of d skip locked`;

function heldColumns(held: readonly Held[]): string[][] {
  return [
    held.map(({ tenantId }) => tenantId),
    held.map(({ deliveryId }) => deliveryId),
    held.map(({ claimId }) => claimId),
  ];
}

/** Tenants with claims that ran out. */
export async function tenantsWithExpiredLeases(tx: Tx): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(
    "select id from lookup_tenants_with_expired_leases() as t (id)",
    [],
    "delivery.tenants-expired",
  );
  return rows.map(({ id }) => id);
}

/** Claims of processes that are gone, by tenant. */
export type Orphans = { readonly tenantId: string; readonly process: number };

export async function orphanedClaims(tx: Tx): Promise<Orphans[]> {
  const rows = await tx.rows<{ tenant_id: string; process: number }>(
    "select tenant_id, process from lookup_orphaned_claims()",
    [],
    "delivery.orphaned-claims",
  );
  return rows.map((row) => ({ tenantId: row.tenant_id, process: row.process }));
}

/**
 * Frees claims that ran out: their process died, or could not reach the database; and those of processes that are known to be
 * gone. A delivery with which several processes died while they tried it alone is set aside: it is what they die of.
 */
export async function freeLostClaims(
  tx: Tx,
  tenantIds: readonly string[],
  { trialsMax, gone }: { trialsMax: number; gone: readonly number[] },
): Promise<number> {
  type Row = {
    readonly tenant_id: string;
    readonly id: string;
    readonly endpoint_id: string;
    readonly is_in_line: boolean;
  };
  const rows = await tx.rows<Row>(
    `update deliveries d set claim_id = null, lease_until = null, lost_count = d.lost_count + 1,
            state = case when d.trial_count >= $2 then 'undelivered' else 'due' end,
            reason = case when d.trial_count >= $2 then 'render_failed' else d.reason end,
            finished_at = case when d.trial_count >= $2 then now() end
       from (select x.tenant_id, x.id from deliveries x
              where x.tenant_id = any ($1::uuid[]) and x.state = 'claimed' and (x.lease_until < now() or x.claimed_by = any ($3::int[]))
              order by x.id limit 5000 for update skip locked) as expired
      where d.tenant_id = expired.tenant_id and d.id = expired.id
      returning d.tenant_id, d.id, d.endpoint_id, d.order_key is not null as is_in_line`,
    [tenantIds, trialsMax, gone],
    "delivery.free-lost",
  );
  const inLine = rows.filter((row) => row.is_in_line);
  await unblockReleased(
    tx,
    inLine.map((row) => ({ tenantId: row.tenant_id, deliveryId: row.id, endpointId: row.endpoint_id })),
  );
  if (rows.length > 0) await notify(tx, "deliveries", "earlier");
  return rows.length;
}
