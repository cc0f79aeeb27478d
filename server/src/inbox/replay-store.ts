import type { Tx } from "#/db/transaction.ts";
import { jsonbText } from "#/kernel/jsonb.ts";

import type { StoredEvent } from "./store.ts";

export type ReplayFilter = {
  readonly received_after?: string | undefined;
  readonly received_before?: string | undefined;
  readonly provider?: string | undefined;
  readonly type?: string | undefined;
};

export type ReplayRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly filter: ReplayFilter;
  readonly state: "running" | "done" | "canceled" | "failed";
  readonly cursor_xid: string | null;
  readonly cursor_seq: string | null;
  readonly upper_xid: string;
  readonly changed_count: number;
  readonly unchanged_count: number;
  readonly problem_count: number;
  readonly created_at: Date;
  readonly finished_at: Date | null;
};

const columns = `tenant_id, id, filter, state, cursor_xid::text, cursor_seq::text, upper_xid::text, changed_count, unchanged_count, problem_count,
  created_at, finished_at`;
const matches = `e.tenant_id = $1 and ($2::timestamptz is null or e.received_at >= $2) and ($3::timestamptz is null or e.received_at < $3)
  and ($4::text is null or e.provider = $4) and ($5::text is null or e.type = $5)`;

function values(tenantId: string, filter: ReplayFilter): unknown[] {
  return [
    tenantId,
    filter.received_after ?? null,
    filter.received_before ?? null,
    filter.provider ?? null,
    filter.type ?? null,
  ];
}

/** How many stored events a filter meets. */
export async function countEvents(tx: Tx, tenantId: string, filter: ReplayFilter): Promise<number> {
  const rows = await tx.rows<{ count: number }>(
    `select count(*)::int as count from events e where ${matches}`,
    values(tenantId, filter),
  );
  return rows[0]?.count ?? 0;
}

/** Begins a replay. Its upper end is fixed now, so new traffic cannot make it endless. */
export async function insertReplay(
  tx: Tx,
  row: { tenantId: string; id: string; filter: ReplayFilter; actor: string },
): Promise<ReplayRow | null> {
  await tx.run(
    `insert into replays (tenant_id, id, filter, actor, upper_xid) values ($1, $2, $3, $4, pg_snapshot_xmin(pg_current_snapshot()))`,
    [row.tenantId, row.id, jsonbText(row.filter), row.actor],
  );
  return loadReplay(tx, row.tenantId, row.id);
}

/** Told of a replay that is over, in the transaction in which it ends. */
export type ReplayFinished = (tx: Tx, replay: ReplayRow) => Promise<void>;

export async function loadReplay(tx: Tx, tenantId: string, id: string): Promise<ReplayRow | null> {
  const rows = await tx.rows<ReplayRow>(`select ${columns} from replays where tenant_id = $1 and id = $2`, [
    tenantId,
    id,
  ]);
  return rows[0] ?? null;
}

/** Locks a running replay for its next step, so that two workers never do the same one; null when there is nothing to do. */
export async function lockReplay(tx: Tx, tenantId: string, id: string): Promise<ReplayRow | null> {
  const rows = await tx.rows<ReplayRow>(
    `select ${columns} from replays where tenant_id = $1 and id = $2 and state = 'running' for update skip locked`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

/** The next events of a replay, in the order of the log. */
export async function nextEvents(
  tx: Tx,
  replay: ReplayRow,
  limit: number,
): Promise<(StoredEvent & { readonly xid: string; readonly seq: number })[]> {
  return tx.rows(
    `select e.tenant_id, e.id, e.source_id, e.provider, e.key, e.part, e.received_at, e.route, e.url, e.headers, e.body, e.verification,
            e.call_id,
            e.xid::text as xid, e.seq
       from events e
      where ${matches} and e.body_digest is null and e.xid < $6::xid8 and ($7::text is null or (e.xid, e.seq) > ($7::xid8, $8::bigint))
      order by e.xid, e.seq limit $9`,
    [...values(replay.tenant_id, replay.filter), replay.upper_xid, replay.cursor_xid, replay.cursor_seq, limit],
  );
}

/** Moves a replay on in the transaction of what it did. */
export async function advanceReplay(
  tx: Tx,
  replay: ReplayRow,
  step: {
    readonly xid: string;
    readonly seq: number;
    readonly changed: number;
    readonly unchanged: number;
    readonly problems: number;
  } | null,
): Promise<void> {
  if (!step) {
    await tx.run("update replays set state = 'done', finished_at = now() where tenant_id = $1 and id = $2", [
      replay.tenant_id,
      replay.id,
    ]);
    return;
  }
  await tx.run(
    `update replays set cursor_xid = $3::xid8, cursor_seq = $4, changed_count = changed_count + $5, unchanged_count = unchanged_count + $6,
            problem_count = problem_count + $7 where tenant_id = $1 and id = $2`,
    [replay.tenant_id, replay.id, step.xid, step.seq, step.changed, step.unchanged, step.problems],
  );
}

/** Stops a replay that is running; false when it was not. */
export async function cancelReplay(tx: Tx, tenantId: string, id: string): Promise<boolean> {
  const count = await tx.run(
    "update replays set state = 'canceled', finished_at = now() where tenant_id = $1 and id = $2 and state = 'running'",
    [tenantId, id],
  );
  return count === 1;
}
