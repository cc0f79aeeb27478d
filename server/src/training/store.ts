import type { Page } from "#/db/page.ts";
import type { Tx } from "#/db/transaction.ts";

export type SessionRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly assignment_id: string | null;
  readonly state: "open" | "requested" | "ready" | "failed";
  readonly communication_id: string | null;
  readonly call_id: string | null;
  readonly feedback: Readonly<Record<string, unknown>> | null;
  readonly requested_at: Date | null;
  readonly ready_at: Date | null;
  readonly request_count: number;
  readonly created_at: Date;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly attempt: number;
  readonly next_attempt_at: Date | null;
  readonly is_regenerating: boolean;
  readonly run_id: string | null;
};

const sessionColumns = `tenant_id, id, assignment_id, state, communication_id, call_id, feedback, requested_at, ready_at, request_count, created_at,
  reason, detail, attempt, next_attempt_at, is_regenerating, run_id`;

/**
 * Claims sessions for one run each: an open one becomes `requested` and comes back as claimed; one that was claimed before only
 * counts. Both write, so that a repeat's answer waits for replication as well. Ids must be sorted.
 */
export async function claimSessions(
  tx: Tx,
  wanted: readonly {
    readonly tenantId: string;
    readonly sessionId: string;
    readonly communicationId: string;
    readonly sourceId: string;
  }[],
): Promise<Map<string, "claimed" | "exists">> {
  const rows = await tx.rows<{ tenant_id: string; id: string; was: SessionRow["state"] }>(
    `with found as (
       select s.tenant_id, s.id, s.state as was, n.communication_id, n.source_id
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) as n (tenant_id, id, communication_id, source_id)
         join training_sessions s using (tenant_id, id)
        order by s.tenant_id, s.id for update of s)
     update training_sessions s
        set request_count = s.request_count + 1,
            state = case when s.state = 'open' then 'requested' else s.state end,
            communication_id = coalesce(s.communication_id, found.communication_id),
            source_id = coalesce(s.source_id, found.source_id),
            work_since = coalesce(s.work_since, now()),
            requested_at = coalesce(s.requested_at, now())
       from found where s.tenant_id = found.tenant_id and s.id = found.id
     returning s.tenant_id, s.id, found.was`,
    [
      wanted.map((w) => w.tenantId),
      wanted.map((w) => w.sessionId),
      wanted.map((w) => w.communicationId),
      wanted.map((w) => w.sourceId),
    ],
  );
  return new Map(rows.map((row) => [`${row.tenant_id} ${row.id}`, row.was === "open" ? "claimed" : "exists"]));
}

/** Notes which call a session's feedback will be about. */
export async function attachCall(tx: Tx, tenantId: string, sessionId: string, callId: string | null): Promise<void> {
  await tx.run("update training_sessions set call_id = coalesce(call_id, $3) where tenant_id = $1 and id = $2", [
    tenantId,
    sessionId,
    callId,
  ]);
}

/** Adds a session; false when the id is taken. */
export async function insertSession(
  tx: Tx,
  row: {
    tenantId: string;
    id: string;
    assignmentId: string | null;
    userId: string | null;
    feedback: Readonly<Record<string, unknown>> | null;
  },
): Promise<boolean> {
  const made = await tx.run(
    `insert into training_sessions (tenant_id, id, assignment_id, user_id, feedback, state, ready_at)
     values ($1, $2, $3, $4, $5, case when $5::jsonb is null then 'open' else 'ready' end, case when $5::jsonb is null then null else now() end)
     on conflict (tenant_id, id) do nothing`,
    [row.tenantId, row.id, row.assignmentId, row.userId, row.feedback && JSON.stringify(row.feedback)],
  );
  return made === 1;
}

export async function loadSession(tx: Tx, tenantId: string, id: string): Promise<SessionRow | null> {
  const rows = await tx.rows<SessionRow>(
    `select ${sessionColumns} from training_sessions where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

export async function listSessions(tx: Tx, tenantId: string, { before, limit }: Page): Promise<SessionRow[]> {
  return tx.rows<SessionRow>(
    `select ${sessionColumns} from training_sessions where tenant_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [tenantId, before, limit],
  );
}

export type AssignmentRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly title: string;
  readonly status: "open" | "completed";
  readonly completed_at: Date | null;
  readonly created_at: Date;
};

const assignmentColumns = "tenant_id, id, title, status, completed_at, created_at";

export async function insertAssignment(
  tx: Tx,
  row: { tenantId: string; id: string; title: string; userId: string | null },
): Promise<void> {
  await tx.run("insert into assignments (tenant_id, id, title, user_id) values ($1, $2, $3, $4)", [
    row.tenantId,
    row.id,
    row.title,
    row.userId,
  ]);
}

export async function loadAssignment(tx: Tx, tenantId: string, id: string): Promise<AssignmentRow | null> {
  const rows = await tx.rows<AssignmentRow>(
    `select ${assignmentColumns} from assignments where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

export async function listAssignments(tx: Tx, tenantId: string, { before, limit }: Page): Promise<AssignmentRow[]> {
  return tx.rows<AssignmentRow>(
    `select ${assignmentColumns} from assignments where tenant_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [tenantId, before, limit],
  );
}

/** The feedback that comes from a run gets another score and other verdicts. */
export async function saveFeedbackOf(
  tx: Tx,
  tenantId: string,
  runId: string,
  change: (feedback: Readonly<Record<string, unknown>>) => object,
): Promise<void> {
  const rows = await tx.rows<{ id: string; feedback: Readonly<Record<string, unknown>> }>(
    "select id, feedback from training_sessions where tenant_id = $1 and run_id = $2 and feedback is not null for update",
    [tenantId, runId],
  );
  for (const { id, feedback } of rows) {
    await tx.run("update training_sessions set feedback = $3 where tenant_id = $1 and id = $2", [
      tenantId,
      id,
      JSON.stringify(change(feedback)),
    ]);
  }
}
