import type { Tx } from "#/db/transaction.ts";

/** Empties what the pipeline made of calls: answers of engines, outputs of steps, runs, numbers. How each step went stays. */
export async function forgetResults(tx: Tx, tenantId: string, callIds: readonly string[]): Promise<number> {
  const of = [tenantId, callIds];
  const where = "tenant_id = $1 and call_id = any ($2::uuid[])";
  // Whoever works on one of them at this moment loses it: what they write is refused.
  await tx.run(
    `update pipelines set state = 'settled', settled_at = coalesce(settled_at, now()), transcript_id = null, claim_id = null,
            lease_until = null, wake_at = null, is_woken = false
      where ${where}`,
    of,
  );
  const answers = await tx.run(`delete from engine_answers where ${where}`, of);
  const numbers = await tx.run(`delete from metric_sets where ${where}`, of);
  const steps = await tx.run(
    `update step_results set output = null, detail = case when detail is not null then $3 end where ${where}`,
    [...of, "What there was to say was erased with the content of the call."],
  );
  const runs = await tx.run(
    `update analysis_runs set summary = null, fields = '[]', trackers = '[]', topics = null, sentiment = null, evaluation = null,
            coaching = null
      where ${where}`,
    of,
  );
  return answers + numbers + steps + runs;
}
