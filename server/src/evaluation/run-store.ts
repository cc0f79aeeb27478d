import { jsonColumn, plainColumn, textColumn } from "#/db/columns.ts";
import type { Tx } from "#/db/transaction.ts";

import { statusOf } from "./run.ts";
import type { Analysed, Plan, RunRow } from "./run.ts";

const columns = `r.tenant_id, r.id, r.call_id, r.transcript_id, r.plan_id, r.plan_version, r.plan_name, r.trigger, r.job_id, r.status,
  r.is_current, r.sections, r.summary, r.fields, r.trackers, r.topics, r.sentiment, r.evaluation, r.coaching, r.usage, r.cost, r.created_at, r.finished_at,
  exists (select from pipelines p
           where p.tenant_id = r.tenant_id and p.call_id = r.call_id and r.transcript_id is distinct from p.edited_transcript_id
             and p.edited_transcript_id is not null
             and not exists (select from transcripts t where t.tenant_id = r.tenant_id and t.id = r.transcript_id
                                                         and t.parent_id = p.edited_transcript_id)) as is_stale`;

export type NewRun = {
  readonly tenantId: string;
  readonly id: string;
  readonly callId: string;
  readonly plan: Plan;
  readonly trigger: RunRow["trigger"];
  readonly jobId?: string;
  /** Whether it becomes what the call shows; the one that was current until now stays, as a former one. */
  readonly isCurrent: boolean;
  readonly analysed: Analysed;
};

/** Writes a run that is over. The call must be locked where it becomes the current one. */
export async function insertRun(tx: Tx, run: NewRun): Promise<void> {
  await insertRuns(tx, [run]);
}

/** Writes runs that are over, at most one of a call as its current one. Calls must be locked where one becomes that. */
export async function insertRuns(tx: Tx, runs: readonly NewRun[]): Promise<void> {
  if (runs.length === 0) return;
  const current = runs.filter(({ isCurrent }) => isCurrent);
  if (current.length > 0) {
    await tx.run(
      // Call by call: while a young table has no statistics, a join reads the whole tenant.
      `update analysis_runs set is_current = false
        where is_current and ctid = any (array(
          select r.ctid from unnest($1::uuid[], $2::uuid[]) as c (tenant_id, call_id)
           cross join lateral (select ctid from analysis_runs
                                where tenant_id = c.tenant_id and call_id = c.call_id and is_current limit 1) as r))`,
      [plainColumn(current.map(({ tenantId }) => tenantId)), plainColumn(current.map(({ callId }) => callId))],
      "evaluation.no-current-run",
    );
  }
  const made = runs.map(({ analysed }) => analysed);
  await tx.run(
    `insert into analysis_runs (tenant_id, id, call_id, transcript_id, plan_id, plan_version, plan_name, trigger, job_id, status, is_current,
                                input_hash, sections, summary, fields, trackers, topics, sentiment, evaluation, coaching, usage, cost, finished_at)
     select r.tenant_id, r.id, r.call_id, r.transcript_id, r.plan_id, r.plan_version, r.plan_name, r.trigger, r.job_id, r.status, r.is_current,
            decode(r.input_hash, 'hex'), r.sections::jsonb, r.summary::jsonb, r.fields::jsonb, r.trackers::jsonb, r.topics::jsonb, r.sentiment::jsonb, r.evaluation::jsonb,
            r.coaching::jsonb, r.usage::json, r.cost::json, now()
       from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::text[], $8::text[], $9::uuid[], $10::text[],
                   $11::bool[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[],
                   $20::text[], $21::text[], $22::text[]) as r (tenant_id, id, call_id, transcript_id, plan_id, plan_version, plan_name, trigger, job_id, status,
            is_current, input_hash, sections, summary, fields, trackers, topics, sentiment, evaluation, coaching, usage, cost)`,
    [
      plainColumn(runs.map(({ tenantId }) => tenantId)),
      plainColumn(runs.map(({ id }) => id)),
      plainColumn(runs.map(({ callId }) => callId)),
      plainColumn(made.map(({ transcriptId }) => transcriptId)),
      plainColumn(runs.map(({ plan }) => plan.id)),
      plainColumn(runs.map(({ plan }) => plan.version)),
      textColumn(runs.map(({ plan }) => plan.name)),
      plainColumn(runs.map(({ trigger }) => trigger)),
      plainColumn(runs.map(({ jobId }) => jobId ?? null)),
      plainColumn(made.map(({ sections }) => statusOf(sections))),
      plainColumn(runs.map(({ isCurrent }) => String(isCurrent))),
      plainColumn(made.map(({ inputHash }) => inputHash.toString("hex"))),
      jsonColumn(made.map(({ sections }) => sections)),
      jsonColumn(made.map(({ summary }) => summary)),
      jsonColumn(made.map(({ fields }) => fields)),
      jsonColumn(made.map(({ trackers }) => trackers)),
      jsonColumn(made.map(({ topics }) => topics)),
      jsonColumn(made.map(({ sentiment }) => sentiment)),
      jsonColumn(made.map(({ evaluation }) => evaluation)),
      jsonColumn(made.map(({ coaching }) => coaching)),
      jsonColumn(made.map(({ usage }) => usage)),
      jsonColumn(made.map(({ cost }) => cost)),
    ],
    "evaluation.insert-runs",
  );
}

/** A run; null when the tenant has none. */
export async function loadRun(tx: Tx, tenantId: string, id: string): Promise<RunRow | null> {
  const [run] = await loadRuns(tx, tenantId, [id]);
  return run ?? null;
}

export async function loadRuns(tx: Tx, tenantId: string, ids: readonly string[]): Promise<RunRow[]> {
  if (ids.length === 0) return [];
  const rows = await tx.rows<StoredRun>(
    `select ${columns} from analysis_runs r where r.tenant_id = $1 and r.id = any ($2::uuid[])`,
    [tenantId, ids],
  );
  return rows.map(rowOf);
}

/** What a call shows; null while it shows nothing. */
export async function currentRun(tx: Tx, tenantId: string, callId: string): Promise<RunRow | null> {
  const rows = await tx.rows<StoredRun>(
    `select ${columns} from analysis_runs r where r.tenant_id = $1 and r.call_id = $2 and r.is_current`,
    [tenantId, callId],
  );
  return rows[0] ? rowOf(rows[0]) : null;
}

/** The runs of a call, newest first, previews included. */
export async function listRuns(
  tx: Tx,
  tenantId: string,
  callId: string,
  before: string | null,
  limit: number,
): Promise<RunRow[]> {
  const rows = await tx.rows<StoredRun>(
    `select ${columns} from analysis_runs r
      where r.tenant_id = $1 and r.call_id = $2 and ($3::uuid is null or r.id < $3) order by r.id desc limit $4`,
    [tenantId, callId, before, limit],
  );
  return rows.map(rowOf);
}

/** Which of these inputs a call has a run of already, by digest in hex. Previews count for previews only. */
export async function knownInputs(
  tx: Tx,
  tenantId: string,
  inputs: readonly { readonly callId: string; readonly inputHash: Buffer }[],
): Promise<Map<string, string>> {
  if (inputs.length === 0) return new Map();
  const rows = await tx.rows<{ call_id: string; id: string }>(
    `select distinct on (r.call_id) r.call_id, r.id
       from unnest($2::uuid[], $3::bytea[]) as i (call_id, input_hash)
       join analysis_runs r on r.tenant_id = $1 and r.call_id = i.call_id and r.input_hash = i.input_hash
      where r.status in ('succeeded', 'partial', 'skipped') and r.trigger <> 'preview'
      order by r.call_id, r.id desc`,
    [tenantId, inputs.map(({ callId }) => callId), inputs.map(({ inputHash }) => inputHash)],
  );
  return new Map(rows.map((row) => [row.call_id, row.id]));
}

type StoredRun = {
  tenant_id: string;
  id: string;
  call_id: string;
  transcript_id: string | null;
  plan_id: string;
  plan_version: number;
  plan_name: string;
  trigger: RunRow["trigger"];
  job_id: string | null;
  status: RunRow["status"];
  is_current: boolean;
  is_stale: boolean;
  sections: RunRow["sections"];
  summary: RunRow["summary"];
  fields: RunRow["fields"];
  trackers: RunRow["trackers"];
  /** Null in runs from before models named any. */
  topics: RunRow["topics"] | null;
  sentiment: RunRow["sentiment"];
  evaluation: RunRow["evaluation"];
  coaching: RunRow["coaching"];
  usage: RunRow["usage"];
  cost: RunRow["cost"];
  created_at: Date;
  finished_at: Date | null;
};

function rowOf(row: StoredRun): RunRow {
  return {
    tenantId: row.tenant_id,
    id: row.id,
    callId: row.call_id,
    transcriptId: row.transcript_id,
    planId: row.plan_id,
    planVersion: row.plan_version,
    planName: row.plan_name,
    trigger: row.trigger,
    jobId: row.job_id,
    status: row.status,
    isCurrent: row.is_current,
    isStale: row.is_stale,
    sections: row.sections,
    summary: row.summary,
    fields: row.fields,
    trackers: row.trackers,
    topics: row.topics ?? [],
    sentiment: row.sentiment,
    evaluation: row.evaluation,
    coaching: row.coaching,
    usage: row.usage,
    cost: row.cost,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}
