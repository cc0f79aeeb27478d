import type { Tx } from "#/db/transaction.ts";

import type { ApplicationRow, EventRow, StoredEvent } from "./store.ts";

/** An event as lists show it, without its bytes. */
export type LoggedEvent = Omit<EventRow, "occurred_at" | "received_at" | "headers"> & {
  readonly occurred_at: Date | null;
  readonly received_at: Date;
  readonly xid: string;
  readonly seq: number;
  readonly seen_count: number;
  readonly differing_count: number;
  readonly is_waiting: boolean;
  readonly body_bytes: number;
};

export type EventFilter = {
  readonly order: "oldest" | "newest";
  /** Position of the last event seen. */
  readonly after: LogPosition | null;
  readonly provider: string | null;
  readonly type: string | null;
  readonly callId: string | null;
  readonly effect: string | null;
  readonly isWaiting: boolean | null;
  readonly limit: number;
};

/** A place in the log. Transactions first: sequence numbers are given before a commit, so they alone would skip rows. */
export type LogPosition = { readonly xid: string; readonly seq: string };

const logged = `e.tenant_id, e.id, e.source_id, e.provider, e.type, e.key, e.part, e.occurred_at, e.received_at, e.route, e.url, e.content_type,
  e.verification, e.effect, e.call_id, e.status_after, e.outcome_after, e.problem, e.xid::text as xid, e.seq, length(e.body) as body_bytes,
  coalesce(k.seen_count, 1) as seen_count, coalesce(k.differing_count, 0) as differing_count,
  exists (select 1 from unmatched_events u where u.tenant_id = e.tenant_id and u.event_id = e.id) as is_waiting`;
const withKeys = `events e left join event_keys k on k.tenant_id = e.tenant_id and k.source_id = e.source_id and k.key = e.key and k.event_id = e.id`;

/**
 * Reads the log in the order of commits. Rows of transactions that are still open, and of any that began after one of those,
 * are held back, so a cursor that was handed out never skips a row that commits later.
 */
export async function readLog(tx: Tx, tenantId: string, filter: EventFilter): Promise<LoggedEvent[]> {
  const [beyond, order] = filter.order === "oldest" ? [">", "asc"] : ["<", "desc"];
  return tx.rows<LoggedEvent>(
    `select ${logged} from ${withKeys}
      where e.tenant_id = $1 and e.xid < pg_snapshot_xmin(pg_current_snapshot())
        and ($2::text is null or (e.xid, e.seq) ${beyond} ($2::xid8, $3::bigint))
        and ($4::text is null or e.provider = $4) and ($5::text is null or e.type = $5)
        and ($6::uuid is null or e.call_id = $6
             or e.id in (select p.event_id from event_applications p where p.tenant_id = $1 and p.call_id = $6))
        and ($7::text is null or e.effect = $7)
        and ($8::boolean is null or $8 = exists (select 1 from unmatched_events u where u.tenant_id = $1 and u.event_id = e.id))
      order by e.xid ${order}, e.seq ${order} limit $9`,
    [
      tenantId,
      filter.after?.xid ?? null,
      filter.after?.seq ?? null,
      filter.provider,
      filter.type,
      filter.callId,
      filter.effect,
      filter.isWaiting,
      filter.limit,
    ],
  );
}

export type LoggedDetail = LoggedEvent & Pick<StoredEvent, "headers" | "body">;

/** One event with its bytes; null when the tenant has none of that id. */
export async function readEvent(tx: Tx, tenantId: string, id: string): Promise<LoggedDetail | null> {
  const rows = await tx.rows<LoggedDetail>(
    `select ${logged}, e.headers, e.body from ${withKeys} where e.tenant_id = $1 and e.id = $2`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

/** What an event did after it was stored, oldest first. */
export async function applicationsOf(
  tx: Tx,
  tenantId: string,
  eventId: string,
): Promise<(ApplicationRow & { readonly at: Date })[]> {
  return tx.rows(
    `select tenant_id, id, event_id, call_id, cause, status_after, outcome_after, problem, at from event_applications
      where tenant_id = $1 and event_id = $2 order by id limit 1000`,
    [tenantId, eventId],
  );
}
