import { cut, longColumn, plainColumn, textColumn } from "#/db/columns.ts";
import type { Tx } from "#/db/transaction.ts";
import { jsonbText } from "#/kernel/jsonb.ts";
import type { Alias, RouteKind } from "#/providers/provider.ts";

export type KeyClaim = {
  readonly tenantId: string;
  readonly sourceId: string;
  readonly key: string;
  /** The id the event gets if it is new. */
  readonly eventId: string;
  readonly digest: string;
  /** How many times it came in this batch, and how many of those with another body than the first. */
  readonly seen: number;
  readonly differing: number;
};

/**
 * Decides for each key whether its event is new: then the returned id is the proposed one. A repeat writes as well
 * (it counts), because a repeat that writes nothing can be acknowledged from a row that a synchronous standby never got.
 * Claims must be sorted by (tenant, source, key), or two batches can wait for each other in a circle.
 */
export async function claimKeys(
  tx: Tx,
  claims: readonly KeyClaim[],
): Promise<{ eventId: string; needsRetry: boolean }[]> {
  const rows = await tx.rows<{
    tenant_id: string;
    source_id: string;
    key: string;
    event_id: string;
    needs_retry: boolean;
  }>(
    `insert into event_keys as k (tenant_id, source_id, key, event_id, body_digest, seen_count, differing_count)
     select n.tenant_id, n.source_id, n.key, n.event_id, decode(n.digest, 'hex'), n.seen, n.differing
       from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::int[], $7::int[])
         as n (tenant_id, source_id, key, event_id, digest, seen, differing)
     on conflict (tenant_id, source_id, key) do update set
            seen_count = k.seen_count + excluded.seen_count,
            differing_count = k.differing_count + case when k.body_digest = excluded.body_digest then excluded.differing_count
                                                       else greatest(excluded.seen_count, 1) end,
            last_seen_at = now()
     returning tenant_id, source_id, key, event_id, needs_retry`,
    [
      plainColumn(claims.map((c) => c.tenantId)),
      plainColumn(claims.map((c) => c.sourceId)),
      textColumn(claims.map((c) => c.key)),
      plainColumn(claims.map((c) => c.eventId)),
      plainColumn(claims.map((c) => c.digest)),
      plainColumn(claims.map((c) => c.seen)),
      plainColumn(claims.map((c) => c.differing)),
    ],
    "inbox.claim-keys",
  );
  const byName = new Map(rows.map((row) => [`${row.tenant_id} ${row.source_id} ${row.key}`, row]));
  return claims.map((claim) => {
    const row = byName.get(`${claim.tenantId} ${claim.sourceId} ${claim.key}`);
    if (!row) throw new Error("a claimed event key is missing from the answer");
    return { eventId: row.event_id, needsRetry: row.needs_retry };
  });
}

/** Marks events whose effect could not be applied, so that their next repeat tries again; or clears the mark. */
export async function markForRetry(
  tx: Tx,
  tenantIds: readonly string[],
  eventIds: readonly string[],
  needsRetry: boolean,
): Promise<void> {
  if (eventIds.length === 0) return;
  await tx.run(
    "update event_keys set needs_retry = $3 where tenant_id = any ($1::uuid[]) and event_id = any ($2::uuid[])",
    [tenantIds, eventIds, needsRetry],
  );
}

export type EventRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly source_id: string;
  readonly provider: string;
  readonly type: string;
  readonly key: string;
  readonly part: number;
  readonly occurred_at: string | null;
  readonly received_at: string;
  readonly route: RouteKind;
  readonly url: string;
  readonly content_type: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly verification: string;
  readonly effect: "applied" | "recorded" | "unmatched";
  readonly call_id: string | null;
  readonly status_after: string | null;
  readonly outcome_after: string | null;
  readonly problem: string | null;
};

/** Appends to the log. Bodies travel as one binary value and are cut apart by offset: none is escaped or re-encoded on the way. */
export async function insertEvents(
  tx: Tx,
  logged: readonly { readonly row: EventRow; readonly body: Buffer }[],
): Promise<void> {
  if (logged.length === 0) return;
  const rows = logged.map(({ row }) => row);
  const headers = longColumn(rows.map((row) => jsonbText(row.headers)));
  let end = 1;
  const starts = logged.map(({ body }) => (end += body.length) - body.length);
  await tx.run(
    `insert into events (tenant_id, id, source_id, provider, type, key, part, occurred_at, received_at, route, url, content_type,
                         verification, effect, call_id, status_after, outcome_after, problem, headers, body)
     select r.tenant_id, r.id, r.source_id, r.provider, r.type, r.key, r.part, r.occurred_at, r.received_at, r.route, r.url,
            r.content_type, r.verification, r.effect, r.call_id, r.status_after, r.outcome_after, r.problem,
            ${cut("$19", "r.headers_start", "r.headers_length")}::json, substr($20::bytea, r.body_start, r.body_length)
       from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::int[], $8::timestamptz[], $9::timestamptz[],
                   $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::uuid[], $16::text[], $17::text[], $18::text[],
                   $21::int[], $22::int[], $23::int[], $24::int[]) as r (
            tenant_id, id, source_id, provider, type, key, part, occurred_at, received_at, route, url, content_type, verification, effect,
            call_id, status_after, outcome_after, problem, headers_start, headers_length, body_start, body_length)`,
    [
      plainColumn(rows.map((row) => row.tenant_id)),
      plainColumn(rows.map((row) => row.id)),
      plainColumn(rows.map((row) => row.source_id)),
      textColumn(rows.map((row) => row.provider)),
      textColumn(rows.map((row) => row.type)),
      textColumn(rows.map((row) => row.key)),
      plainColumn(rows.map((row) => row.part)),
      plainColumn(rows.map((row) => row.occurred_at)),
      plainColumn(rows.map((row) => row.received_at)),
      plainColumn(rows.map((row) => row.route)),
      textColumn(rows.map((row) => row.url)),
      textColumn(rows.map((row) => row.content_type)),
      textColumn(rows.map((row) => row.verification)),
      plainColumn(rows.map((row) => row.effect)),
      plainColumn(rows.map((row) => row.call_id)),
      plainColumn(rows.map((row) => row.status_after)),
      plainColumn(rows.map((row) => row.outcome_after)),
      textColumn(rows.map((row) => row.problem)),
      headers.bytes,
      logged.length === 1 && logged[0] ? logged[0].body : Buffer.concat(logged.map(({ body }) => body)),
      headers.starts,
      headers.lengths,
      plainColumn(starts),
      plainColumn(logged.map(({ body }) => body.length)),
    ],
    "inbox.insert-events",
  );
}

export type UnmatchedRow = {
  readonly tenantId: string;
  readonly kind: string;
  readonly value: string;
  readonly eventId: string;
};

/** Remembers which names a waiting event speaks of. */
export async function insertUnmatched(tx: Tx, rows: readonly UnmatchedRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.run(
    `insert into unmatched_events (tenant_id, kind, value, event_id)
     select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) on conflict do nothing`,
    [rows.map((r) => r.tenantId), rows.map((r) => r.kind), rows.map((r) => r.value), rows.map((r) => r.eventId)],
  );
}

/** An event as it was stored, with what is needed to read it again. */
export type StoredEvent = {
  readonly tenant_id: string;
  readonly id: string;
  readonly source_id: string;
  readonly provider: string;
  readonly key: string;
  readonly part: number;
  readonly received_at: Date;
  readonly route: RouteKind;
  readonly url: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: Buffer;
  readonly verification: string;
  readonly call_id: string | null;
};

const storedColumns =
  "e.tenant_id, e.id, e.source_id, e.provider, e.key, e.part, e.received_at, e.route, e.url, e.headers, e.body, e.verification, e.call_id";

/** Takes the events that waited for these names out of the waiting room, oldest first. */
export async function takeUnmatched(
  tx: Tx,
  names: readonly { tenantId: string; alias: Pick<Alias, "value"> & { kind: string } }[],
): Promise<StoredEvent[]> {
  if (names.length === 0) return [];
  return tx.rows<StoredEvent>(
    `with taken as (
       delete from unmatched_events u
        using (select distinct w.tenant_id, w.event_id
                 from unnest($1::uuid[], $2::text[], $3::text[]) as n (tenant_id, kind, value)
                 join unmatched_events w using (tenant_id, kind, value)) as found
        where u.tenant_id = found.tenant_id and u.event_id = found.event_id
        returning u.tenant_id, u.event_id)
     select ${storedColumns} from events e
      where (e.tenant_id, e.id) in (select t.tenant_id, t.event_id from taken t)
      order by e.id`,
    [
      plainColumn(names.map((n) => n.tenantId)),
      textColumn(names.map((n) => n.alias.kind)),
      textColumn(names.map((n) => n.alias.value)),
    ],
    "inbox.take-unmatched",
  );
}

/** Tenants in which an event waits although its call exists. */
export async function tenantsWithOverdueEvents(tx: Tx): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>("select lookup_tenants_with_overdue_events() as id");
  return rows.map((row) => row.id);
}

/** Names that events wait for although a call has them by now: an event and its call were stored at the same moment. */
export async function overdueUnmatched(
  tx: Tx,
  tenantId: string,
  limit: number,
): Promise<{ kind: Alias["kind"]; value: string; call_id: string }[]> {
  return tx.rows(
    `select distinct u.kind, u.value, a.call_id from unmatched_events u
       join call_aliases a on a.tenant_id = u.tenant_id and a.kind = u.kind and a.value = u.value
      where u.tenant_id = $1 limit $2`,
    [tenantId, limit],
  );
}

export type ApplicationRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly event_id: string;
  readonly call_id: string | null;
  readonly cause: "matched" | "replay" | "retry";
  readonly status_after: string | null;
  readonly outcome_after: string | null;
  readonly problem: string | null;
};

/** Notes what stored events did later. */
export async function insertApplications(tx: Tx, rows: readonly ApplicationRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.run(
    `insert into event_applications (tenant_id, id, event_id, call_id, cause, status_after, outcome_after, problem)
     select * from json_to_recordset($1::json) as r (tenant_id uuid, id uuid, event_id uuid, call_id uuid, cause text,
                                                       status_after text, outcome_after text, problem text)`,
    [JSON.stringify(rows)],
  );
}

/** Every stored event of these calls, in the order they were received. */
export async function eventsOfCalls(
  tx: Tx,
  tenantId: string,
  callIds: readonly string[],
  limit: number,
): Promise<StoredEvent[]> {
  return tx.rows<StoredEvent>(
    `select ${storedColumns} from events e
      where e.tenant_id = $1
        and (e.call_id = any ($2::uuid[])
             or e.id in (select p.event_id from event_applications p where p.tenant_id = $1 and p.call_id = any ($2::uuid[])))
      order by e.received_at, e.id limit $3`,
    [tenantId, callIds, limit],
  );
}

/** Which call each stored event was applied to, at birth or later; events without one are left out. */
export async function callsOfEvents(
  tx: Tx,
  tenantIds: readonly string[],
  eventIds: readonly string[],
): Promise<Map<string, string>> {
  const rows = await tx.rows<{ id: string; call_id: string | null }>(
    `select e.id, coalesce(e.call_id, (select p.call_id from event_applications p
                                        where p.tenant_id = e.tenant_id and p.event_id = e.id and p.call_id is not null
                                        order by p.id desc limit 1)) as call_id
       from events e where e.tenant_id = any ($1::uuid[]) and e.id = any ($2::uuid[])`,
    [tenantIds, eventIds],
    "inbox.calls-of-events",
  );
  return new Map(rows.flatMap(({ id, call_id }) => (call_id ? [[id, call_id] as const] : [])));
}

/** One stored event; null when the tenant has none of that id. */
export async function loadEvent(tx: Tx, tenantId: string, id: string): Promise<StoredEvent | null> {
  const rows = await tx.rows<StoredEvent>(
    `select ${storedColumns} from events e where e.tenant_id = $1 and e.id = $2`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}
