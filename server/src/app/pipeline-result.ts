import type { Db } from "#/db/transaction.ts";
import { loadRun } from "#/evaluation/run-store.ts";
import type { Plan, RunRow } from "#/evaluation/run.ts";
import type { Clock } from "#/kernel/clock.ts";
import { limits } from "#/kernel/limits.ts";
import { Retry } from "#/models/failure.ts";
import { loadProgress } from "#/pipeline/progress-store.ts";

/**
 * The run that the pipeline of a call makes of these words by this plan: two that ask a model for the same would pay twice.
 * Null when the pipeline does not come to it in time; whoever asks makes a run of their own then.
 * @throws Retry when the model did not answer the pipeline, which asks it again
 */
export async function pipelineResult(
  { db, clock }: { readonly db: Db; readonly clock: Clock },
  wanted: { readonly tenantId: string; readonly callId: string; readonly transcriptId: string; readonly plan: Plan },
  signal: AbortSignal,
): Promise<RunRow | null> {
  const { tenantId, callId, transcriptId, plan } = wanted;
  const until = clock.monotonic() + limits.pipelineResultMs;
  while (!signal.aborted && clock.monotonic() < until) {
    const { progress, run } = await db.inTransaction([tenantId], async (tx) => {
      const progress = await loadProgress(tx, tenantId, callId);
      const isIt =
        progress?.transcriptId === transcriptId && progress.planId === plan.id && progress.planVersion === plan.version;
      return { progress, run: isIt && progress.runId ? await loadRun(tx, tenantId, progress.runId) : null };
    });
    if (run) return run;
    if (progress?.againAt) {
      const afterMs = Math.max(progress.againAt.getTime() - clock.now(), 0);
      throw new Retry(afterMs, "engine_unavailable", {
        detail: progress.failure ?? "The language model did not answer.",
      });
    }
    await clock.sleep(limits.pipelineResultPollMs, signal);
  }
  return null;
}
