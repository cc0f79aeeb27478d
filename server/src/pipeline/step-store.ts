import type { StepName } from "@aftercall/contract/analysis/step.ts";

import type { Tx } from "#/db/transaction.ts";

/** Which steps are meant; null asks for nothing. */
export type StepFilter = {
  readonly state: string;
  readonly step: string | null;
  readonly reason: string | null;
  readonly since: Date | null;
  readonly until: Date | null;
};

const matching = `s.tenant_id = $1 and s.state = $2 and ($3::text is null or s.step = $3) and ($4::text is null or s.reason = $4)
  and ($5::timestamptz is null or s.finished_at >= $5) and ($6::timestamptz is null or s.finished_at < $6)`;

function valuesOf(tenantId: string, { state, step, reason, since, until }: StepFilter): unknown[] {
  return [tenantId, state, step, reason, since, until];
}

/** Steps by call and name, the newest call first; `before` is where the page before ended. */
export async function listStepKeys(
  tx: Tx,
  tenantId: string,
  filter: StepFilter,
  { before, limit }: { readonly before: { callId: string; step: string } | null; readonly limit: number },
): Promise<{ call_id: string; step: StepName }[]> {
  return tx.rows(
    `select s.call_id, s.step from step_results s
      where ${matching} and ($7::uuid is null or (s.call_id, s.step) < ($7, $8))
      order by s.call_id desc, s.step desc limit $9`,
    [...valuesOf(tenantId, filter), before?.callId ?? null, before?.step ?? "", limit],
  );
}

/** Calls that have such steps, the oldest first, and how many of them each has. */
export async function callsWithSteps(
  tx: Tx,
  tenantId: string,
  filter: StepFilter,
  limit: number,
): Promise<{ call_id: string; count: number }[]> {
  return tx.rows(
    `select s.call_id, count(*)::int as count from step_results s where ${matching}
      group by s.call_id order by s.call_id limit $7`,
    [...valuesOf(tenantId, filter), limit],
  );
}

/** Has these steps of calls done again: their tries are counted anew. Gives the calls that have one. */
export async function resetSteps(
  tx: Tx,
  tenantId: string,
  callIds: readonly string[],
  filter: StepFilter,
): Promise<string[]> {
  const rows = await tx.rows<{ call_id: string }>(
    `update step_results s set state = 'queued', retried = s.retried + 1, attempt = 0, reason = null, detail = null,
            next_attempt_at = null, queued_at = now(), started_at = null, finished_at = null
      where ${matching} and s.call_id = any ($7::uuid[]) and s.step <> 'settle' returning s.call_id`,
    [...valuesOf(tenantId, filter), callIds],
  );
  return [...new Set(rows.map((row) => row.call_id))];
}

/** Has one step done again, whatever came of it; false when it never began. */
export async function resetStep(tx: Tx, tenantId: string, callId: string, step: StepName): Promise<boolean> {
  const count = await tx.run(
    `update step_results s set state = 'queued', retried = s.retried + 1, attempt = 0, reason = null, detail = null,
            next_attempt_at = null, queued_at = now(), started_at = null, finished_at = null
      where s.tenant_id = $1 and s.call_id = $2 and s.step = $3`,
    [tenantId, callId, step],
  );
  return count === 1;
}

export type ShownPipeline = {
  readonly state: "running" | "settled";
  readonly plan_id: string | null;
  readonly plan_version: number | null;
  readonly settle_by: Date;
  readonly settled_at: Date | null;
};

export async function findPipeline(tx: Tx, tenantId: string, callId: string): Promise<ShownPipeline | null> {
  const rows = await tx.rows<ShownPipeline>(
    "select state, plan_id, plan_version, settle_by, settled_at from pipelines where tenant_id = $1 and call_id = $2",
    [tenantId, callId],
  );
  return rows[0] ?? null;
}

/** The run that a call's pipeline made last, by our own id; null before the first. */
export async function pipelineRunId(tx: Tx, tenantId: string, callId: string): Promise<string | null> {
  const rows = await tx.rows<{ run_id: string | null }>(
    "select run_id from pipelines where tenant_id = $1 and call_id = $2",
    [tenantId, callId],
  );
  return rows[0]?.run_id ?? null;
}
