import type { ResendMode, ResendState } from "@aftercall/contract/resend.ts";

import type { Tx } from "#/db/transaction.ts";

import type { UndeliveredFilter } from "../ledger/undelivered-store.ts";

/** What a resend is about, as it was asked for. */
export type ResendFilter = UndeliveredFilter & {
  /** Also what its endpoint was refused for these reasons before `since`: it was disabled while they waited. */
  readonly closedReasons: readonly string[] | null;
};

export type ResendRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly mode: ResendMode;
  readonly filter: ResendFilter;
  /** Null: each to the endpoint it was meant for. */
  readonly endpoint_id: string | null;
  readonly is_forced: boolean;
  readonly state: ResendState;
  readonly rate_per_second: number;
  readonly upper_at: string;
  readonly cursor_at: string | null;
  readonly cursor_id: string | null;
  readonly wait_ms: number;
  readonly run_count: number;
  readonly total_count: number;
  readonly resent_count: number;
  readonly actor: string;
  readonly created_at: Date;
  readonly finished_at: Date | null;
};

// Times that are compared again travel as text: a Date would cut them to milliseconds.
const columns = `tenant_id, id, mode, filter, endpoint_id, is_forced, state, rate_per_second, upper_at::text, cursor_at::text, cursor_id,
  greatest(extract(epoch from next_at - now()), 0)::float8 * 1000 as wait_ms, run_count, total_count, resent_count, actor, created_at, finished_at`;

export type NewResend = Pick<
  ResendRow,
  "tenant_id" | "id" | "mode" | "filter" | "endpoint_id" | "is_forced" | "rate_per_second" | "total_count" | "actor"
>;

/** Begins a resend. Its upper end is the moment of this transaction. */
export async function insertResend(tx: Tx, row: NewResend): Promise<ResendRow> {
  const rows = await tx.rows<ResendRow>(
    `insert into resends (tenant_id, id, mode, filter, endpoint_id, is_forced, rate_per_second, total_count, actor)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning ${columns}`,
    [
      row.tenant_id,
      row.id,
      row.mode,
      JSON.stringify(row.filter),
      row.endpoint_id,
      row.is_forced,
      row.rate_per_second,
      row.total_count,
      row.actor,
    ],
  );
  return one(rows);
}

export async function findResend(tx: Tx, tenantId: string, id: string): Promise<ResendRow | null> {
  const rows = await tx.rows<ResendRow>(`select ${columns} from resends where tenant_id = $1 and id = $2`, [
    tenantId,
    id,
  ]);
  return rows[0] ?? null;
}

/** One resend for a change of it, whatever its state; waits for a step that is just being made. */
export async function lockResend(tx: Tx, tenantId: string, id: string): Promise<ResendRow | null> {
  const rows = await tx.rows<ResendRow>(`select ${columns} from resends where tenant_id = $1 and id = $2 for update`, [
    tenantId,
    id,
  ]);
  return rows[0] ?? null;
}

/** Newest first. */
export async function listResends(
  tx: Tx,
  tenantId: string,
  page: { readonly before: string | null; readonly limit: number; readonly state: ResendState | null },
): Promise<ResendRow[]> {
  return tx.rows<ResendRow>(
    `select ${columns} from resends
      where tenant_id = $1 and ($2::uuid is null or id < $2) and ($4::text is null or state = $4) order by id desc limit $3`,
    [tenantId, page.before, page.limit, page.state],
  );
}

export type Outcome = { readonly delivered: number; readonly undelivered: number; readonly waiting: number };

/** What became of the deliveries of resends by now, by resend. */
export async function outcomesOf(tx: Tx, tenantId: string, ids: readonly string[]): Promise<Map<string, Outcome>> {
  const rows = await tx.rows<Outcome & { cause: string }>(
    `select cause, count(*) filter (where state = 'delivered')::int as delivered,
            count(*) filter (where state = 'undelivered')::int as undelivered,
            count(*) filter (where state not in ('delivered', 'undelivered'))::int as waiting
       from deliveries where tenant_id = $1 and cause <> 'event' and cause = any ($2::text[]) group by cause`,
    [tenantId, ids],
  );
  return new Map(rows.map((row) => [row.cause, row]));
}

/** How many of its deliveries are due and were not attempted yet, counted up to `max`. */
export async function countUnsent(tx: Tx, tenantId: string, id: string, max: number): Promise<number> {
  const rows = await tx.rows<{ count: number }>(
    `select count(*)::int as count from (
       select from deliveries where tenant_id = $1 and cause <> 'event' and cause = $2 and state = 'due' and attempt_count = 0
        limit $3) as unsent`,
    [tenantId, id, max],
  );
  return rows[0]?.count ?? 0;
}

export type Step = {
  /** Null: nothing was looked at. */
  readonly cursor: { readonly at: string | null; readonly id: string } | null;
  readonly resent: number;
  readonly isDone: boolean;
  /** How long the next step has to wait. */
  readonly pauseMs: number;
};

/** Moves a resend on in the transaction of what it did. */
export async function advanceResend(tx: Tx, row: ResendRow, step: Step): Promise<void> {
  await tx.run(
    `update resends set cursor_at = coalesce($3::timestamptz, cursor_at), cursor_id = coalesce($4::uuid, cursor_id),
            resent_count = resent_count + $5, state = case when $6 then 'done' else state end,
            finished_at = case when $6 then now() end, next_at = now() + $7 * interval '1 millisecond'
      where tenant_id = $1 and id = $2`,
    [row.tenant_id, row.id, step.cursor?.at ?? null, step.cursor?.id ?? null, step.resent, step.isDone, step.pauseMs],
  );
}

/** Changes the state, and counts the runs where a worker is to take it up. */
export async function setState(tx: Tx, row: ResendRow, state: ResendState): Promise<ResendRow> {
  const rows = await tx.rows<ResendRow>(
    `update resends set state = $3, next_at = now(), run_count = run_count + ($3 = 'running')::int,
            finished_at = case when $3 in ('canceled', 'done') then coalesce(finished_at, now()) end
      where tenant_id = $1 and id = $2 returning ${columns}`,
    [row.tenant_id, row.id, state],
  );
  return one(rows);
}

/** Takes what is due and was not attempted yet out of the way of the claim; {@link releaseHeld} puts it back. */
export async function holdUnsent(tx: Tx, { tenant_id, id }: ResendRow): Promise<number> {
  return tx.run(
    `update deliveries set due_at = 'infinity'
      where tenant_id = $1 and cause <> 'event' and cause = $2 and state = 'due' and attempt_count = 0`,
    [tenant_id, id],
  );
}

export async function releaseHeld(tx: Tx, { tenant_id, id }: ResendRow): Promise<number> {
  return tx.run(
    `update deliveries set due_at = now()
      where tenant_id = $1 and cause <> 'event' and cause = $2 and state = 'due' and due_at = 'infinity'`,
    [tenant_id, id],
  );
}

/** Ends what waits of a resend: it is listed as cancelled. */
export async function cancelWaiting(tx: Tx, { tenant_id, id }: ResendRow): Promise<number> {
  return tx.run(
    `update deliveries set state = 'undelivered', reason = 'cancelled', resume_at = null, is_blocked = false, finished_at = now()
      where tenant_id = $1 and cause <> 'event' and cause = $2 and state = 'due'`,
    [tenant_id, id],
  );
}

/** Resends that should go on and that nobody has worked at for a while. */
export async function idleResends(tx: Tx, idleMs: number): Promise<{ tenant_id: string; id: string }[]> {
  return tx.rows("select tenant_id, id from lookup_idle_resends($1 * interval '1 millisecond')", [idleMs]);
}

/** When this transaction began, exactly. */
export async function transactionTime(tx: Tx): Promise<string> {
  const rows = await tx.rows<{ at: string }>("select now()::text as at");
  return one(rows).at;
}

export type EndpointState = {
  readonly id: string;
  readonly disabled_at: Date | null;
  readonly deleted_at: Date | null;
  /** When it was disabled the last time, and until when; as text, for comparing. */
  readonly disabled_from: string | null;
  readonly disabled_until: string | null;
};

/** An endpoint as resends see it, deleted ones too. */
export async function endpointState(tx: Tx, tenantId: string, id: string): Promise<EndpointState | null> {
  const rows = await tx.rows<EndpointState>(
    `select id, disabled_at, deleted_at, disabled_from::text, disabled_until::text from endpoints where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

function one<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (!row) throw new Error("a statement that returns one row returned none");
  return row;
}
