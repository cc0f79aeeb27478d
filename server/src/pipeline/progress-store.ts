import type { Tx } from "#/db/transaction.ts";

/** How far the pipeline of a call is, as others may ask: its latest run, and whether a model keeps it waiting. */
export type PipelineProgress = {
  readonly runId: string | null;
  readonly planId: string | null;
  readonly planVersion: number | null;
  /** What the latest run is about. */
  readonly transcriptId: string | null;
  /** A try at a section has failed: in whose words, and when the next one is due. */
  readonly failure: string | null;
  readonly againAt: Date | null;
};

/** Null where the call has no pipeline yet. */
export async function loadProgress(tx: Tx, tenantId: string, callId: string): Promise<PipelineProgress | null> {
  const rows = await tx.rows<PipelineProgress>(
    `select p.run_id as "runId", r.plan_id as "planId", r.plan_version as "planVersion", r.transcript_id as "transcriptId",
            s.detail as failure, s.next_attempt_at as "againAt"
       from pipelines p
       left join analysis_runs r on r.tenant_id = p.tenant_id and r.id = p.run_id
       left join lateral (
         select detail, next_attempt_at from step_results s
          where s.tenant_id = p.tenant_id and s.call_id = p.call_id and s.step in ('summarise', 'extract', 'name_topics', 'rate_sentiment', 'score', 'coach')
            and s.state = 'queued' and s.next_attempt_at is not null
          order by s.next_attempt_at limit 1) as s on true
      where p.tenant_id = $1 and p.call_id = $2`,
    [tenantId, callId],
  );
  return rows[0] ?? null;
}
