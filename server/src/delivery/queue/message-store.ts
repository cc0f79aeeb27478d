import type { UnroutedReason } from "@aftercall/contract/message.ts";

import { plainColumn, textColumn } from "#/db/columns.ts";
import type { Tx } from "#/db/transaction.ts";

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
  /** The line it stands in where that is not its call. */
  readonly orderKey: string | null;
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
  /** Its line, where the endpoint wants order. */
  readonly orderKey: string | null;
  /** Its campaign is paused: it waits until that goes on. */
  readonly isHeld: boolean;
};
export type NewMessages = {
  /** In the order in which they are numbered within their lines. */
  readonly messages: readonly MessageRow[];
  readonly bodies: readonly BodyRow[];
  readonly deliveries: readonly NewDeliveryRow[];
  readonly leaseMs: number;
};

/**
 * Writes messages with their bytes and deliveries in one statement, and wakes the workers if any delivery is left to them.
 * A message that is already there writes nothing. Gives those that are new with their numbers within their lines: the call
 * of a message is locked by whoever writes about it, so numbers have no gaps and are never given twice.
 *
 * All bodies travel as one binary parameter and are cut apart by offset: the statement has the same text for any number of
 * rows, so it is prepared once, and no byte is written as text.
 */
export async function insertMessages(
  tx: Tx,
  { messages, bodies, deliveries, leaseMs }: NewMessages,
): Promise<ReadonlyMap<string, number | null>> {
  if (messages.length === 0) return new Map();
  // Where nobody is subscribed that is all there is, in every intake transaction: half the time of the long statement.
  if (bodies.length === 0 && deliveries.length === 0) return insertAlone(tx, messages);
  let offset = 1;
  const starts = bodies.map(({ body }) => (offset += body.length) - body.length);
  const rows = await tx.rows<{ id: string; sequence: number | null }>(
    insertMessagesSql,
    [
      ...columnsOf(messages),
      Buffer.concat(bodies.map(({ body }) => body)),
      plainColumn(bodies.map((row) => row.tenantId)),
      plainColumn(bodies.map((row) => row.messageId)),
      plainColumn(bodies.map((row) => row.format)),
      plainColumn(starts),
      plainColumn(bodies.map(({ body }) => body.length)),
      plainColumn(deliveries.map((row) => row.tenantId)),
      plainColumn(deliveries.map((row) => row.id)),
      plainColumn(deliveries.map((row) => row.messageId)),
      plainColumn(deliveries.map((row) => row.endpointId)),
      plainColumn(deliveries.map((row) => row.claimId)),
      leaseMs,
      textColumn(messages.map((row) => row.orderKey)),
      textColumn(deliveries.map((row) => row.orderKey)),
      plainColumn(deliveries.map((row) => Number(row.isHeld))),
    ],
    "delivery.insert-messages",
  );
  return new Map(rows.map(({ id, sequence }) => [id, sequence]));
}

async function insertAlone(tx: Tx, messages: readonly MessageRow[]): Promise<ReadonlyMap<string, number | null>> {
  const rows = await tx.rows<{ id: string; sequence: number | null }>(
    insertAloneSql,
    [...columnsOf(messages), textColumn(messages.map((row) => row.orderKey))],
    "delivery.insert-messages-alone",
  );
  return new Map(rows.map(({ id, sequence }) => [id, sequence]));
}

function columnsOf(messages: readonly MessageRow[]): string[] {
  return [
    plainColumn(messages.map((row) => row.tenantId)),
    plainColumn(messages.map((row) => row.id)),
    textColumn(messages.map((row) => row.type)),
    plainColumn(messages.map((row) => row.callId)),
    plainColumn(messages.map((row) => row.campaignId)),
    plainColumn(messages.map((row) => row.occurredAtMs)),
    plainColumn(messages.map((row) => row.receivedAtMs)),
    plainColumn(messages.map((row) => row.unroutedReason)),
  ];
}

// Lookups by whole key as scalar subqueries; the highest number of a call behind "offset 0", with a comparison of the tenant that
// no index serves: a plan made while the tables are young would otherwise read all messages of the tenant for every row, 200 ms
// a batch instead of 5.
const writtenSql = (orderKeys: string) => `
  with fact as (
    select m.*, row_number() over (partition by m.tenant_id, m.call_id, m.order_key order by m.place) as nth
      from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::float8[], $7::float8[], $8::text[], ${orderKeys}::text[]) with ordinality
        as m (tenant_id, id, type, call_id, campaign_id, occurred_ms, received_ms, reason, order_key, place)
     where (select o.id from messages o where o.tenant_id = m.tenant_id and o.id = m.id limit 1) is null),
  written as (
    insert into messages (tenant_id, id, type, call_id, campaign_id, occurred_at, received_at, unrouted_reason, order_key, sequence)
    select f.tenant_id, f.id, f.type, f.call_id, f.campaign_id, to_timestamp(f.occurred_ms / 1000), to_timestamp(f.received_ms / 1000), f.reason,
           f.order_key,
           case when f.order_key is not null then f.nth + coalesce((select max(s.sequence) from (select o.sequence from messages o
                  where o.tenant_id = f.tenant_id and o.order_key = f.order_key offset 0) as s), 0)
                when f.call_id is not null then f.nth + coalesce((select max(s.sequence) from (select o.sequence from messages o
                  where o.call_id = f.call_id and o.tenant_id is not distinct from f.tenant_id and o.order_key is null offset 0) as s), 0) end
      from fact f order by f.id
    on conflict (tenant_id, id) do nothing
    returning tenant_id, id, sequence)`;

const insertAloneSql = `${writtenSql("$9")} select w.id, w.sequence from written w`;

const insertMessagesSql = `${writtenSql("$21")},
  bodies as (
    insert into message_bodies (tenant_id, message_id, format, body)
    select b.tenant_id, b.message_id, b.format, substring($9::bytea from b.start for b.length)
      from unnest($10::uuid[], $11::uuid[], $12::text[], $13::int[], $14::int[]) as b (tenant_id, message_id, format, start, length)
      join written w on w.tenant_id = b.tenant_id and w.id = b.message_id),
  queued as (
    insert into deliveries (tenant_id, id, message_id, endpoint_id, state, claim_id, lease_until, order_key, sequence, due_at)
    select d.tenant_id, d.id, d.message_id, d.endpoint_id, case when d.claim_id is null then 'due' else 'claimed' end, d.claim_id,
           case when d.claim_id is not null then now() + $20 * interval '1 millisecond' end,
           d.order_key, case when d.order_key is not null then w.sequence end, case when d.is_held = 1 then 'infinity' else now() end
      from unnest($15::uuid[], $16::uuid[], $17::uuid[], $18::uuid[], $19::uuid[], $22::text[], $23::int[])
        as d (tenant_id, id, message_id, endpoint_id, claim_id, order_key, is_held)
      join written w on w.tenant_id = d.tenant_id and w.id = d.message_id
    returning state)
  select w.id, w.sequence, (select pg_notify('deliveries', '') where exists (select 1 from queued where state = 'due')) from written w`;

export type Trace = { readonly tenantId: string; readonly messageId: string; readonly traceparent: string };

/** Writes which trace messages belong to. */
export async function noteTraces(tx: Tx, traces: readonly Trace[]): Promise<void> {
  await tx.run(
    `update messages m set traceparent = t.traceparent
       from unnest($1::uuid[], $2::uuid[], $3::text[]) as t (tenant_id, message_id, traceparent)
      where m.tenant_id = t.tenant_id and m.id = t.message_id`,
    [
      traces.map(({ tenantId }) => tenantId),
      traces.map(({ messageId }) => messageId),
      traces.map(({ traceparent }) => traceparent),
    ],
    "delivery.note-traces",
  );
}

/** Numbers within lines that are not calls are given one transaction after the other. */
export async function lockLines(tx: Tx, lines: readonly { tenantId: string; orderKey: string }[]): Promise<void> {
  await tx.run(
    `select pg_advisory_xact_lock(l.lock) from (
       select distinct hashtextextended(tenant_id || ':' || order_key, 0) as lock from unnest($1::text[], $2::text[]) as w (tenant_id, order_key)
        order by lock) as l`,
    [lines.map(({ tenantId }) => tenantId), lines.map(({ orderKey }) => orderKey)],
    "delivery.lock-lines",
  );
}

/**
 * Joins the message of each row (alias `m`) by its whole key. As a plain join the planner, while it has no statistics of a
 * young table, reads all messages of the tenant for every row: 50 rows then took a second.
 */
export function messageOf(alias: string, columns: string): string {
  return `cross join lateral (select ${columns} from messages where tenant_id = ${alias}.tenant_id and id = ${alias}.message_id limit 1) as m`;
}
