import type { UnroutedReason } from "@aftercall/contract/message.ts";

import type { Tx } from "#/db/transaction.ts";

import { endpointVersion } from "../endpoints/store.ts";
import type { BodyForm } from "../formats/format.ts";

export type MessageRow = {
  readonly tenantId: string;
  readonly id: string;
  readonly type: string;
  readonly callId: string | null;
  readonly campaignId: string | null;
  readonly occurredAtMs: number;
  readonly receivedAtMs: number;
  readonly unroutedReason: UnroutedReason | null;
};
export type BodyRow = {
  readonly tenantId: string;
  readonly messageId: string;
  readonly format: BodyForm;
  readonly body: Buffer;
};
export type NewDeliveryRow = {
  readonly tenantId: string;
  readonly id: string;
  readonly messageId: string;
  readonly endpointId: string;
  /** Null: somebody else may claim it. */
  readonly claimId: string | null;
};
export type NewMessages = {
  readonly messages: readonly MessageRow[];
  readonly bodies: readonly BodyRow[];
  readonly deliveries: readonly NewDeliveryRow[];
  readonly leaseMs: number;
};

/**
 * Writes messages with their bytes and deliveries in one statement, and wakes the workers if any delivery is left to them.
 * A message that is already there writes nothing. Gives the ids of those that are new.
 *
 * All bodies travel as one binary parameter and are cut apart by offset: the statement has the same text for any number of
 * rows, so it is prepared once, and no byte is written as text.
 */
export async function insertMessages(
  tx: Tx,
  { messages, bodies, deliveries, leaseMs }: NewMessages,
): Promise<Set<string>> {
  if (messages.length === 0) return new Set();
  let offset = 1;
  const starts = bodies.map(({ body }) => (offset += body.length) - body.length);
  const rows = await tx.rows<{ id: string }>(
    insertMessagesSql,
    [
      messages.map((row) => row.tenantId),
      messages.map((row) => row.id),
      messages.map((row) => row.type),
      messages.map((row) => row.callId),
      messages.map((row) => row.campaignId),
      messages.map((row) => row.occurredAtMs),
      messages.map((row) => row.receivedAtMs),
      messages.map((row) => row.unroutedReason),
      Buffer.concat(bodies.map(({ body }) => body)),
      bodies.map((row) => row.tenantId),
      bodies.map((row) => row.messageId),
      bodies.map((row) => row.format),
      starts,
      bodies.map(({ body }) => body.length),
      deliveries.map((row) => row.tenantId),
      deliveries.map((row) => row.id),
      deliveries.map((row) => row.messageId),
      deliveries.map((row) => row.endpointId),
      deliveries.map((row) => row.claimId),
      leaseMs,
    ],
    "delivery.insert-messages",
  );
  return new Set(rows.map(({ id }) => id));
}

const insertMessagesSql = `
  with written as (
    insert into messages (tenant_id, id, type, call_id, campaign_id, occurred_at, received_at, unrouted_reason)
    select tenant_id, id, type, call_id, campaign_id, to_timestamp(occurred_ms / 1000), to_timestamp(received_ms / 1000), reason
      from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::float8[], $7::float8[], $8::text[])
        as m (tenant_id, id, type, call_id, campaign_id, occurred_ms, received_ms, reason)
    on conflict (tenant_id, id) do nothing
    returning tenant_id, id),
  bodies as (
    insert into message_bodies (tenant_id, message_id, format, body)
    select b.tenant_id, b.message_id, b.format, substring($9::bytea from b.start for b.length)
      from unnest($10::uuid[], $11::uuid[], $12::text[], $13::int[], $14::int[]) as b (tenant_id, message_id, format, start, length)
      join written w on w.tenant_id = b.tenant_id and w.id = b.message_id),
  queued as (
    insert into deliveries (tenant_id, id, message_id, endpoint_id, state, claim_id, lease_until)
    select d.tenant_id, d.id, d.message_id, d.endpoint_id, case when d.claim_id is null then 'due' else 'claimed' end, d.claim_id,
           case when d.claim_id is not null then now() + $20 * interval '1 millisecond' end
      from unnest($15::uuid[], $16::uuid[], $17::uuid[], $18::uuid[], $19::uuid[]) as d (tenant_id, id, message_id, endpoint_id, claim_id)
      join written w on w.tenant_id = d.tenant_id and w.id = d.message_id
    returning state)
  select w.id, (select pg_notify('deliveries', '') where exists (select 1 from queued where state = 'due')) from written w`;

/** Tenants that have something to send now. */
export async function tenantsWithDueDeliveries(tx: Tx): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(
    "select id from lookup_tenants_with_due_deliveries() as t (id)",
    [],
    "delivery.tenants-due",
  );
  return rows.map(({ id }) => id);
}

export type ClaimInput = {
  readonly tenantIds: readonly string[];
  /** What this process can still take of endpoints it was busy with lately; of any other it takes `in_flight_max`. */
  readonly room: ReadonlyMap<string, number>;
  readonly rowsMax: number;
  readonly claimId: string;
  readonly leaseMs: number;
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
  /** Which of its forms the body has; not the endpoint's where that was changed after the message was written. */
  readonly form: string;
  readonly body: Buffer;
};

/**
 * Takes due deliveries of enabled endpoints that have room, oldest first for each endpoint and endpoints in random order, so
 * that no endpoint starves another. Rows that another process is just taking are passed over.
 */
export async function claimDeliveries(tx: Tx, input: ClaimInput): Promise<ClaimedRow[]> {
  return tx.rows<ClaimedRow>(
    `with sending as (
       select e.tenant_id, e.id, e.body_form as form, ${endpointVersion} as version, coalesce(r.free, e.in_flight_max) as free
         from endpoints e left join unnest($2::uuid[], $3::int[]) as r (endpoint_id, free) on r.endpoint_id = e.id
        where e.tenant_id = any ($1::uuid[]) and e.disabled_at is null and coalesce(r.free, 1) > 0
        order by random()),
     picked as materialized (
       select s.tenant_id, d.id, s.form, s.version
         from sending s cross join lateral (
              select d.id from deliveries d
               where d.tenant_id = s.tenant_id and d.endpoint_id = s.id and d.state = 'due' and d.due_at <= now()
               order by d.due_at, d.id limit s.free for update skip locked) as d
        limit $4),
     claimed as (
       update deliveries d set state = 'claimed', claim_id = $5, lease_until = now() + $6 * interval '1 millisecond'
         from picked p
        where d.tenant_id = p.tenant_id and d.id = p.id
       returning d.tenant_id, d.id, d.message_id, d.endpoint_id, p.version, p.form, d.attempt_count, d.manual_count, d.resume_at)
     select c.tenant_id, c.id, c.message_id, c.endpoint_id, c.version as endpoint_version, m.type, m.received_ms, c.attempt_count,
            c.manual_count, c.resume_at is not null as is_manual, b.format as form, b.body
       from claimed c ${messageOf("c", "type, extract(epoch from received_at)::float8 * 1000 as received_ms")}
            cross join lateral (select format, body from message_bodies b where b.tenant_id = c.tenant_id and b.message_id = c.message_id
                                 order by (b.format = c.form) desc, (b.format = 'standard') desc limit 1) as b`,
    [input.tenantIds, [...input.room.keys()], [...input.room.values()], input.rowsMax, input.claimId, input.leaseMs],
    "delivery.claim",
  );
}

/**
 * Joins the message of each row (alias `m`) by its whole key. As a plain join the planner, while it has no statistics of a
 * young table, reads all messages of the tenant for every row: 50 rows then took a second.
 */
export function messageOf(alias: string, columns: string): string {
  return `cross join lateral (select ${columns} from messages where tenant_id = ${alias}.tenant_id and id = ${alias}.message_id limit 1) as m`;
}

/** What was still due for endpoints that are disabled is undelivered: it does not wait for somebody to look. */
export async function closeDisabled(tx: Tx, tenantIds: readonly string[]): Promise<number> {
  return tx.run(
    `update deliveries d set state = 'undelivered', resume_at = null, finished_at = now(),
            reason = case when e.deleted_at is not null then 'endpoint_deleted'
                          when e.disabled_reason = 'gone' then 'gone' else 'endpoint_disabled' end
       from endpoints e
      where e.tenant_id = any ($1::uuid[]) and e.disabled_at is not null
        and d.tenant_id = e.tenant_id and d.endpoint_id = e.id and d.state = 'due'`,
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
  readonly number: number;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly status: number;
  readonly class: string;
  readonly error: string | null;
  readonly responseHeaders: string | null;
  readonly responseBody: Buffer;
};

/**
 * Writes what became of attempts, each only while its claim still holds: a process that lost its lease changes nothing.
 * An attempt made by hand that failed leaves the schedule where it was: due when it would have been, or at its end again.
 * Gives the ids of the deliveries whose claim held.
 */
export async function settleDeliveries(tx: Tx, results: readonly ResultRow[], node: string): Promise<Set<string>> {
  let offset = 1;
  const starts = results.map(({ responseBody }) => (offset += responseBody.length) - responseBody.length);
  const rows = await tx.rows<{ id: string }>(
    settleSql,
    [
      results.map((row) => row.tenantId),
      results.map((row) => row.deliveryId),
      results.map((row) => row.claimId),
      results.map((row) => row.state),
      results.map((row) => row.delayMs),
      results.map((row) => row.reason),
      results.map((row) => row.isManual),
      results.map((row) => row.number),
      results.map((row) => row.startedAtMs),
      results.map((row) => Math.round(row.durationMs)),
      results.map((row) => row.status),
      results.map((row) => row.class),
      results.map((row) => row.error),
      results.map((row) => row.responseHeaders),
      starts,
      results.map(({ responseBody }) => responseBody.length),
      Buffer.concat(results.map(({ responseBody }) => responseBody)),
      node,
    ],
    "delivery.settle",
  );
  return new Set(rows.map(({ id }) => id));
}

const settleSql = `
  with result as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::float8[], $6::text[], $7::bool[], $8::int[], $9::float8[],
                         $10::int[], $11::int[], $12::text[], $13::text[], $14::json[], $15::int[], $16::int[])
      as r (tenant_id, delivery_id, claim_id, state, delay_ms, reason, is_manual, number, started_ms, duration_ms, status, class, error,
            headers, body_start, body_length)),
  -- Row by row through the key and then by place, whatever the planner thinks of the table: a plan made while it was small
  -- would read all of it for every batch.
  held as materialized (
    select r.*, d.place from result r cross join lateral (
           select ctid as place from deliveries
            where tenant_id = r.tenant_id and id = r.delivery_id and claim_id = r.claim_id for update) as d),
  settled as (
    update deliveries d set
           state = case when r.delay_ms is null and r.state = 'due' and d.resume_at = 'infinity' then 'undelivered' else r.state end,
           due_at = case when r.state <> 'due' then d.due_at
                         when r.delay_ms is not null then now() + r.delay_ms * interval '1 millisecond'
                         when d.resume_at = 'infinity' then d.due_at
                         else greatest(d.resume_at, now()) end,
           reason = case when r.state = 'due' and r.delay_ms is null then d.reason else r.reason end,
           finished_at = case when r.state <> 'due' or (r.delay_ms is null and d.resume_at = 'infinity') then now() end,
           attempt_count = r.number,
           manual_count = d.manual_count + r.is_manual::int,
           resume_at = null, claim_id = null, lease_until = null
      from held r
     where d.ctid = r.place
     returning d.tenant_id, d.id),
  recorded as (
    insert into attempts (tenant_id, delivery_id, number, started_at, duration_ms, status, class, error, response_headers, response_body, node)
    select r.tenant_id, r.delivery_id, r.number, to_timestamp(r.started_ms / 1000), r.duration_ms, r.status, r.class, r.error, r.headers,
           case when r.body_length > 0 then substring($17::bytea from r.body_start for r.body_length) end, $18
      from held r join settled s on s.tenant_id = r.tenant_id and s.id = r.delivery_id
    on conflict do nothing)
  select id from settled`;

export type EndpointRef = { readonly tenantId: string; readonly endpointId: string };

/** Disables endpoints whose receivers said that they are gone; gives those that were enabled until now. */
export async function disableGone(tx: Tx, endpoints: readonly EndpointRef[]): Promise<EndpointRef[]> {
  const rows = await tx.rows<{ tenant_id: string; id: string }>(
    `update endpoints e set disabled_at = now(), disabled_reason = 'gone', updated_at = now()
       from unnest($1::uuid[], $2::uuid[]) as g (tenant_id, id)
      where e.tenant_id = g.tenant_id and e.id = g.id and e.disabled_at is null
      returning e.tenant_id, e.id`,
    [endpoints.map(({ tenantId }) => tenantId), endpoints.map(({ endpointId }) => endpointId)],
    "delivery.disable-gone",
  );
  return rows.map((row) => ({ tenantId: row.tenant_id, endpointId: row.id }));
}

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
export async function releaseDeliveries(tx: Tx, held: readonly Held[]): Promise<number> {
  return tx.run(
    `update deliveries d set state = 'due', claim_id = null, lease_until = null from (${lockHeld}) as h
      where d.tenant_id = h.tenant_id and d.id = h.id`,
    heldColumns(held),
    "delivery.release",
  );
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

/** Frees claims that ran out: their process died, or could not reach the database. */
export async function freeExpiredLeases(tx: Tx, tenantIds: readonly string[]): Promise<number> {
  return tx.run(
    `update deliveries d set state = 'due', claim_id = null, lease_until = null
       from (select x.tenant_id, x.id from deliveries x
              where x.tenant_id = any ($1::uuid[]) and x.state = 'claimed' and x.lease_until < now()
              order by x.id limit 5000 for update skip locked) as expired
      where d.tenant_id = expired.tenant_id and d.id = expired.id`,
    [tenantIds],
    "delivery.free-expired",
  );
}

/** Age in seconds of the oldest delivery that is due, over all tenants. */
export async function oldestDueSeconds(tx: Tx): Promise<number> {
  const rows = await tx.rows<{ seconds: number }>(
    "select lookup_oldest_due_seconds() as seconds",
    [],
    "delivery.oldest-due",
  );
  return rows[0]?.seconds ?? 0;
}
