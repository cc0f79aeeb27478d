import type { AnalysisJob, JobCall, JobCounts, JobEstimate, JobFilter } from "@aftercall/contract/analysis/job.ts";
import type { SectionName } from "@aftercall/contract/analysis/run.ts";

import type { Tx } from "#/db/transaction.ts";

export type JobRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly kind: AnalysisJob["kind"];
  readonly plan_id: string;
  readonly plan_version: number;
  readonly sections: readonly SectionName[];
  readonly filter: Readonly<Record<string, unknown>>;
  readonly is_forced: boolean;
  readonly state: AnalysisJob["state"];
  readonly rate_per_minute: number;
  readonly concurrency: number;
  readonly estimate: JobEstimate;
  readonly run_count: number;
  readonly actor: string;
  readonly created_at: Date;
  readonly finished_at: Date | null;
};

const columns =
  "j.tenant_id, j.id, j.kind, j.plan_id, j.plan_version, j.sections, j.filter, j.is_forced, j.state, j.rate_per_minute, j.concurrency, j.estimate, j.run_count, j.actor, j.created_at, j.finished_at";

export async function insertJob(
  tx: Tx,
  row: Omit<JobRow, "state" | "run_count" | "created_at" | "finished_at">,
): Promise<JobRow> {
  const rows = await tx.rows<JobRow>(
    `insert into analysis_jobs as j (tenant_id, id, kind, plan_id, plan_version, sections, filter, is_forced, rate_per_minute, concurrency, estimate, actor)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning ${columns}`,
    [
      row.tenant_id,
      row.id,
      row.kind,
      row.plan_id,
      row.plan_version,
      row.sections,
      JSON.stringify(row.filter),
      row.is_forced,
      row.rate_per_minute,
      row.concurrency,
      JSON.stringify(row.estimate),
      row.actor,
    ],
  );
  return only(rows);
}

export async function findJob(
  tx: Tx,
  tenantId: string,
  id: string,
  lock: "for update" | "" = "",
): Promise<JobRow | null> {
  const rows = await tx.rows<JobRow>(
    `select ${columns} from analysis_jobs j where j.tenant_id = $1 and j.id = $2 ${lock}`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

export async function listJobs(
  tx: Tx,
  tenantId: string,
  page: { readonly state: string | null; readonly before: string | null; readonly limit: number },
): Promise<JobRow[]> {
  return tx.rows<JobRow>(
    `select ${columns} from analysis_jobs j
      where j.tenant_id = $1 and ($2::text is null or j.state = $2) and ($3::uuid is null or j.id < $3) order by j.id desc limit $4`,
    [tenantId, page.state, page.before, page.limit],
  );
}

/** Moves a job on; running again it is handed to a worker once more. */
export async function setJobState(tx: Tx, { tenant_id, id }: JobRow, state: JobRow["state"]): Promise<JobRow> {
  const rows = await tx.rows<JobRow>(
    `update analysis_jobs j
        set state = $3, worked_at = now(), run_count = run_count + case when $3 = 'running' then 1 else 0 end,
            finished_at = case when $3 in ('done', 'canceled') then now() end
      where j.tenant_id = $1 and j.id = $2 returning ${columns}`,
    [tenant_id, id, state],
  );
  return only(rows);
}

export async function touchJob(tx: Tx, tenantId: string, id: string): Promise<void> {
  await tx.run("update analysis_jobs set worked_at = now() where tenant_id = $1 and id = $2", [tenantId, id]);
}

/** Jobs that should run and that nobody has worked at for a while. */
export async function idleJobs(tx: Tx, idleMs: number): Promise<{ tenant_id: string; id: string }[]> {
  return tx.rows("select tenant_id, id from lookup_idle_analysis_jobs($1 * interval '1 millisecond')", [idleMs]);
}

/** How many calls of each job are in which state. */
export async function countsOf(tx: Tx, tenantId: string, ids: readonly string[]): Promise<Map<string, JobCounts>> {
  const rows = await tx.rows<JobCounts & { job_id: string }>(
    `select job_id, count(*)::int as total, (count(*) filter (where state = 'pending'))::int as pending,
            (count(*) filter (where state = 'done'))::int as done, (count(*) filter (where state = 'identical'))::int as identical,
            (count(*) filter (where state = 'skipped'))::int as skipped, (count(*) filter (where state = 'failed'))::int as failed
       from analysis_job_calls where tenant_id = $1 and job_id = any ($2::uuid[]) group by job_id`,
    [tenantId, ids],
  );
  return new Map(rows.map(({ job_id, ...counts }) => [job_id, counts]));
}

export type Selection = {
  readonly filter: JobFilter;
  readonly plan: { readonly id: string; readonly version: number };
  readonly sections: readonly SectionName[];
  readonly isForced: boolean;
};

/**
 * The calls that a filter finds, with their transcripts: the one that the pipeline settled on, else the best one that came.
 * Identical: a run by this version over this transcript has all these sections. Calls that were over, and not merged away.
 */
const selected = `
  select c.id as call_id, t.id as transcript_id, coalesce(length(t.text), 0) as characters,
         t.id is not null and not $11 and exists (
           select 1 from analysis_runs r
            where r.tenant_id = c.tenant_id and r.call_id = c.id and r.plan_id = $8 and r.plan_version = $9 and r.transcript_id = t.id
              and r.trigger <> 'preview' and r.status in ('succeeded', 'partial', 'skipped') and r.sections ?& $10::text[]) as is_identical
    from calls c
    left join pipelines p on p.tenant_id = c.tenant_id and p.call_id = c.id
    left join transcripts t on t.tenant_id = c.tenant_id and t.call_id = c.id
     and case when p.transcript_id is null then t.event_id = (c.state->'transcript'->>0)::uuid else t.id = p.transcript_id end
   where c.tenant_id = $1 and c.merged_into is null and c.status = 'ended'
     and ($2::uuid[] is null or c.id = any ($2)) and ($3::timestamptz is null or c.created_at >= $3)
     and ($4::timestamptz is null or c.created_at < $4) and ($5::text[] is null or c.provider = any ($5))
     and ($6::text is null or c.direction = $6) and ($7::uuid is null or c.campaign_id = $7)
     and ($12::text is null or coalesce(c.state->'facts'->'purpose'->>0, 'production') = $12)`;

function selectionValues(tenantId: string, { filter, plan, sections, isForced }: Selection): unknown[] {
  return [
    tenantId,
    filter.call_ids ?? null,
    filter.since ?? null,
    filter.until ?? null,
    filter.providers ?? null,
    filter.direction ?? null,
    filter.campaign_id ?? null,
    plan.id,
    plan.version,
    sections,
    isForced,
    filter.purpose ?? null,
  ];
}

/** What a job would find: how many calls, how many of them identical or without words, and how many characters the others have. */
export async function countSelection(
  tx: Tx,
  tenantId: string,
  selection: Selection,
): Promise<{ count: number; identical: number; without: number; characters: number; sample: string[] }> {
  const rows = await tx.rows<{
    count: number;
    identical: number;
    without: number;
    characters: number;
    sample: string[];
  }>(
    `with s as (${selected})
     select count(*)::int as count, (count(*) filter (where is_identical))::int as identical,
            (count(*) filter (where transcript_id is null))::int as without,
            coalesce(sum(characters) filter (where not is_identical), 0)::float8 as characters,
            coalesce((array_agg(call_id order by call_id desc) filter (where not is_identical and transcript_id is not null))[1:10], '{}') as sample
       from s`,
    selectionValues(tenantId, selection),
  );
  return only(rows);
}

/** Writes the calls of a job down, so that what comes later is no part of it. Calls without words have nothing to wait for. */
export async function insertSelection(tx: Tx, job: JobRow, selection: Selection, max: number): Promise<number> {
  return tx.run(
    `insert into analysis_job_calls (tenant_id, job_id, call_id, state, reason, detail, finished_at)
     select $1, $13, s.call_id,
            case when s.transcript_id is null then 'skipped' when s.is_identical then 'identical' else 'pending' end,
            case when s.transcript_id is null then 'no_transcript' end,
            case when s.transcript_id is null then 'The call has no transcript.' end,
            case when s.transcript_id is null or s.is_identical then now() end
       from (${selected}) as s order by s.call_id desc limit $14`,
    [...selectionValues(job.tenant_id, selection), job.id, max],
  );
}

export type JobCallRow = {
  readonly call_id: string;
  readonly state: JobCall["state"];
  readonly run_id: string | null;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly attempt: number;
  readonly next_attempt_at: Date | null;
  readonly finished_at: Date | null;
};

const callColumns = "c.call_id, c.state, c.run_id, c.reason, c.detail, c.attempt, c.next_attempt_at, c.finished_at";

export async function listJobCalls(
  tx: Tx,
  { tenant_id, id }: JobRow,
  page: { readonly state: string | null; readonly before: string | null; readonly limit: number },
): Promise<JobCallRow[]> {
  return tx.rows<JobCallRow>(
    `select ${callColumns} from analysis_job_calls c
      where c.tenant_id = $1 and c.job_id = $2 and ($3::text is null or c.state = $3) and ($4::uuid is null or c.call_id < $4)
      order by c.call_id desc limit $5`,
    [tenant_id, id, page.state, page.before, page.limit],
  );
}

/** Calls whose turn it is, newest first, and in how many milliseconds the next one is due where none is now. */
export async function nextCalls(
  tx: Tx,
  { tenant_id, id }: JobRow,
  limit: number,
): Promise<{ due: JobCallRow[]; nextMs: number | null }> {
  const due = await tx.rows<JobCallRow>(
    `select ${callColumns} from analysis_job_calls c
      where c.tenant_id = $1 and c.job_id = $2 and c.state = 'pending' and (c.next_attempt_at is null or c.next_attempt_at <= now())
      order by c.call_id desc limit $3`,
    [tenant_id, id, limit],
  );
  if (due.length > 0) return { due, nextMs: null };
  const [later] = await tx.rows<{ ms: number | null }>(
    `select (extract(epoch from min(c.next_attempt_at) - now()) * 1000)::float8 as ms from analysis_job_calls c
      where c.tenant_id = $1 and c.job_id = $2 and c.state = 'pending'`,
    [tenant_id, id],
  );
  return { due, nextMs: later?.ms ?? null };
}

/** Whether a call still waits for its result: false when another worker was faster, or its job was canceled. */
export async function lockPending(tx: Tx, job: JobRow, callId: string): Promise<boolean> {
  const rows = await tx.rows(
    `select c.call_id from analysis_job_calls c join analysis_jobs j on j.tenant_id = c.tenant_id and j.id = c.job_id
      where c.tenant_id = $1 and c.job_id = $2 and c.call_id = $3 and c.state = 'pending' and j.state <> 'canceled' for update of c`,
    [job.tenant_id, job.id, callId],
  );
  return rows.length > 0;
}

export async function finishCall(
  tx: Tx,
  job: JobRow,
  callId: string,
  end: { state: JobCall["state"]; runId?: string; reason?: string; detail?: string },
): Promise<void> {
  await tx.run(
    `update analysis_job_calls set state = $4, run_id = $5, reason = $6, detail = $7, attempt = attempt + 1, next_attempt_at = null, finished_at = now()
      where tenant_id = $1 and job_id = $2 and call_id = $3`,
    [job.tenant_id, job.id, callId, end.state, end.runId ?? null, end.reason ?? null, end.detail ?? null],
  );
}

export async function retryCall(
  tx: Tx,
  job: JobRow,
  callId: string,
  next: { readonly reason: string; readonly detail: string; readonly afterMs: number },
): Promise<void> {
  await tx.run(
    `update analysis_job_calls set attempt = attempt + 1, reason = $4, detail = $5, next_attempt_at = now() + $6 * interval '1 millisecond'
      where tenant_id = $1 and job_id = $2 and call_id = $3`,
    [job.tenant_id, job.id, callId, next.reason, next.detail, next.afterMs],
  );
}

function only<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (!row) throw new Error("an analysis job that was just written is gone");
  return row;
}
