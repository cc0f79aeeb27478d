import type { React } from "#/calls/change.ts";
import { loadCall } from "#/calls/store.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { billionths, decimalOf } from "#/engines/decimal.ts";
import type { Engines } from "#/engines/engines.ts";
import { pricing } from "#/engines/price.ts";
import { choosePlan } from "#/evaluation/choose-plan.ts";
import { defaultPlan, trainingPlan } from "#/evaluation/default-plans.ts";
import type { Priced } from "#/evaluation/estimate.ts";
import { jobHandlers } from "#/evaluation/job-routes.ts";
import { planHandlers } from "#/evaluation/plan-routes.ts";
import { publishedPlans } from "#/evaluation/plan-store.ts";
import { findRest, promotionHandlers } from "#/evaluation/promotion-routes.ts";
import { reviewHandlers } from "#/evaluation/review-routes.ts";
import { runJob, wakeIdleJobs } from "#/evaluation/run-job.ts";
import type { Analysed, Plan } from "#/evaluation/run.ts";
import { beginTest, testCaseHandlers } from "#/evaluation/test-case-routes.ts";
import type { Jobs } from "#/jobs/jobs.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";
import type { Tracing } from "#/kernel/tracing.ts";
import { analyseOnce } from "#/pipeline/analyse-once.ts";
import type { AnalyseOnceDeps, OnceAsked } from "#/pipeline/analyse-once.ts";
import { subjectOf } from "#/pipeline/subject.ts";

import type { Sweep } from "./sweeps.ts";
import { enqueueAnalysisWith, work } from "./work.ts";

export type AnalysisParts = {
  readonly db: Db;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly jobs: Jobs;
  /** The steps of the pipeline: a call that is analysed again goes through the same ones. */
  readonly recipe: AnalyseOnceDeps["recipe"];
  readonly enginesOf: AnalyseOnceDeps["enginesOf"];
  readonly toolsFor: AnalyseOnceDeps["toolsFor"];
  readonly tracing: Tracing | null;
};

/** Analyses a call once, beside its pipeline. */
export function composeAnalyse(parts: AnalysisParts) {
  return (asked: OnceAsked, signal: AbortSignal): Promise<Analysed> => analyseOnce(parts, asked, signal);
}

/** Does the work of previews and re-runs in this process. */
export async function workOnAnalyses(parts: AnalysisParts): Promise<void> {
  const context = { ...parts, analyse: composeAnalyse(parts), enqueue: enqueueAnalysisWith(parts.jobs) };
  await parts.jobs.work(work.analysis, (data, { signal }) => runJob(context, data, signal));
  await parts.jobs.work(work.find, (data, { signal }) => findRest(parts.db, data, signal));
}

/** Sees to it that a job goes on whose worker was lost. */
export function analysisSweep({ db, jobs }: Pick<AnalysisParts, "db" | "jobs">): Sweep {
  const run = () => wakeIdleJobs(db, enqueueAnalysisWith(jobs));
  return { name: "idle analysis jobs", everyMs: limits.analysisIdleMs, run };
}

/** Plans, runs, jobs and people's word on scorecards under /v1. */
export function analysisHandlers({
  db,
  ids,
  clock,
  jobs,
  react,
  engines,
}: Pick<AnalysisParts, "db" | "ids" | "clock" | "jobs"> & { react: React; engines: Engines }) {
  const begin = { ids, enqueueJob: enqueueAnalysisWith(jobs), languageModel: pricedModel(engines) };
  return {
    ...planHandlers({ db, ids, test: (tx, by, plan) => beginTest(begin, tx, by, plan) }),
    ...testCaseHandlers({ db, ...begin }),
    ...reviewHandlers({ db, ids, clock, react }),
    ...jobHandlers({ db, ...begin, planFor }),
    ...promotionHandlers({ db, ids, findLater: (tx, data) => jobs.enqueue(tx, work.find, data) }),
  };
}

/** The plan that is for a call now. */
export async function planFor(tx: Tx, tenantId: string, callId: string): Promise<Plan> {
  const record = await loadCall(tx, tenantId, callId);
  if (!record) return defaultPlan;
  const subject = subjectOf(record);
  const chosen = choosePlan(await publishedPlans(tx, tenantId), subject);
  return chosen ?? (subject.purpose === "training" ? trainingPlan : defaultPlan);
}

/** What an analysis by the tenant's language model costs, by the prices that its own cost lines are made of. */
function pricedModel(engines: Engines) {
  return async (tx: Tx, tenantId: string): Promise<Priced | null> => {
    const engine = await engines.loadEngine(tx, tenantId, "language");
    if (!engine) return null;
    const { provider, model } = engine;
    return {
      model,
      moneyFor({ input, output }) {
        const usage = { ...noUsage, input_tokens: input, output_tokens: output };
        const lines = pricing(engine.price)({ component: "llm", provider, model, usage });
        const [first] = lines;
        if (!first?.money || lines.some(({ money }) => money === null)) return null;
        const whole = lines.reduce((sum, { money }) => sum + billionths(money?.amount ?? "0"), 0n);
        return { amount: decimalOf(whole), currency: first.money.currency };
      },
    };
  };
}

const noUsage = { cached_input_tokens: null, reasoning_tokens: null, audio_ms: null } as const;
