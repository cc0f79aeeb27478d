import type { Tx } from "#/db/transaction.ts";
import { jsonbText } from "#/kernel/jsonb.ts";

/** A session on whose feedback somebody works. */
export type WorkRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly assignment_id: string | null;
  readonly state: "open" | "requested" | "ready" | "failed";
  readonly is_regenerating: boolean;
  readonly communication_id: string | null;
  readonly call_id: string | null;
  readonly source_id: string | null;
  readonly work_number: number;
  readonly work_since: Date | null;
  readonly attempt: number;
  readonly failures: number;
  readonly next_attempt_at: Date | null;
  readonly transcript_event_id: string | null;
};

const columns =
  "tenant_id, id, assignment_id, state, is_regenerating, communication_id, call_id, source_id, work_number, work_since, attempt, failures, next_attempt_at, transcript_event_id";

export async function lockWork(tx: Tx, tenantId: string, sessionId: string): Promise<WorkRow | null> {
  const rows = await tx.rows<WorkRow>(
    `select ${columns} from training_sessions where tenant_id = $1 and id = $2 for update`,
    [tenantId, sessionId],
  );
  return rows[0] ?? null;
}

/** How far a session is, for those who wait for it. */
export async function loadProgress(
  tx: Tx,
  tenantId: string,
  sessionId: string,
): Promise<(Pick<WorkRow, "state" | "failures" | "next_attempt_at"> & { reason: string | null }) | null> {
  const rows = await tx.rows<Pick<WorkRow, "state" | "failures" | "next_attempt_at"> & { reason: string | null }>(
    "select state, failures, next_attempt_at, reason from training_sessions where tenant_id = $1 and id = $2",
    [tenantId, sessionId],
    "training.progress",
  );
  return rows[0] ?? null;
}

/** An attempt begins. */
export async function markUnderWay(tx: Tx, work: WorkRow): Promise<void> {
  await tx.run("update training_sessions set next_attempt_at = null where tenant_id = $1 and id = $2", [
    work.tenant_id,
    work.id,
  ]);
}

/** The words are there: they are fetched once, however often the analysis is tried. */
export async function noteTranscript(tx: Tx, work: WorkRow, eventId: string, callId: string): Promise<void> {
  await tx.run("update training_sessions set transcript_event_id = $3, call_id = $4 where tenant_id = $1 and id = $2", [
    work.tenant_id,
    work.id,
    eventId,
    callId,
  ]);
}

/** An attempt is over and another follows at `at`. */
export async function noteRetry(
  tx: Tx,
  work: WorkRow,
  next: { readonly reason: string; readonly detail: string; readonly at: Date; readonly isFailure: boolean },
): Promise<void> {
  await tx.run(
    `update training_sessions set attempt = attempt + 1, failures = failures + $6::int, next_attempt_at = $5, reason = $3, detail = $4
      where tenant_id = $1 and id = $2`,
    [work.tenant_id, work.id, next.reason, next.detail, next.at, next.isFailure ? 1 : 0],
  );
}

/** The work is over without a result. Feedback that is there already stays. */
export async function noteFailed(tx: Tx, work: WorkRow, reason: string, detail: string): Promise<void> {
  await tx.run(
    `update training_sessions set state = case when is_regenerating then state else 'failed' end, is_regenerating = false,
            failures = failures + 1, next_attempt_at = null, reason = $3, detail = $4
      where tenant_id = $1 and id = $2`,
    [work.tenant_id, work.id, reason, detail],
  );
}

export type Result = {
  readonly feedback: object;
  readonly runId: string;
  readonly plan: { readonly id: string; readonly version: number };
  /** Why a score is missing. */
  readonly reason: string | null;
  readonly detail: string | null;
};

/** Feedback, session and assignment in one go: nobody sees one without the others. */
export async function noteReady(tx: Tx, work: WorkRow, result: Result): Promise<void> {
  const { tenant_id: tenantId, id } = work;
  await tx.run(
    `update training_sessions set state = 'ready', is_regenerating = false, feedback = $3, run_id = $4, reason = $5, detail = $6,
            ready_at = now(), next_attempt_at = null
      where tenant_id = $1 and id = $2`,
    [tenantId, id, jsonbText(result.feedback), result.runId, result.reason, result.detail],
  );
  await tx.run(
    `insert into training_runs (tenant_id, session_id, run_id, plan_id, plan_version) values ($1, $2, $3, $4, $5)
     on conflict do nothing`,
    [tenantId, id, result.runId, result.plan.id, result.plan.version],
  );
  if (work.assignment_id === null) return;
  await tx.run(
    `update assignments set status = 'completed', completed_at = coalesce(completed_at, now()) where tenant_id = $1 and id = $2`,
    [tenantId, work.assignment_id],
  );
}

/** Begins the work anew, on purpose. Feedback that is there is shown until the new one is. */
export async function beginAgain(tx: Tx, work: WorkRow): Promise<number> {
  const rows = await tx.rows<{ work_number: number }>(
    `update training_sessions
        set work_number = work_number + 1, attempt = 1, failures = 0, work_since = now(), next_attempt_at = now(), reason = null, detail = null,
            is_regenerating = (state = 'ready'), state = case when state = 'ready' then state else 'requested' end
      where tenant_id = $1 and id = $2 returning work_number`,
    [work.tenant_id, work.id],
  );
  return rows[0]?.work_number ?? work.work_number;
}

/** The run by which a version of a rubric graded a session already. */
export async function runBy(
  tx: Tx,
  work: Pick<WorkRow, "tenant_id" | "id">,
  plan: { readonly id: string; readonly version: number },
): Promise<string | null> {
  const rows = await tx.rows<{ run_id: string }>(
    "select run_id from training_runs where tenant_id = $1 and session_id = $2 and plan_id = $3 and plan_version = $4",
    [work.tenant_id, work.id, plan.id, plan.version],
  );
  return rows[0]?.run_id ?? null;
}
