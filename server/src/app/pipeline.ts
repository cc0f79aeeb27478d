import type { React } from "#/calls/change.ts";
import type { Db } from "#/db/transaction.ts";
import { jobId } from "#/jobs/define.ts";
import type { Jobs } from "#/jobs/jobs.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Config } from "#/kernel/config.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { Log } from "#/kernel/log.ts";
import { recipe } from "#/pipeline/recipe.ts";
import { type PipelineDeps, runAsking, runPipelines } from "#/pipeline/run.ts";
import { wakeIdlePipelines } from "#/pipeline/sweep.ts";

import type { Sweep } from "./sweeps.ts";
import type { PipelineTools } from "./tools.ts";
import { enqueueCallsWith, work } from "./work.ts";

export type PipelineParts = {
  readonly config: Config;
  readonly db: Db;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly react: React;
  readonly tools: PipelineTools;
};

const minuteMs = 60_000;

/** Does the work between the end of a call and call.completed in this process. */
export async function workOnCalls({ jobs, tools, ...parts }: PipelineParts): Promise<void> {
  const { config, clock } = parts;
  const deps: PipelineDeps = {
    ...parts,
    ...tools,
    recipe,
    limits: { reportMs: config.settleSeconds * 1000, recordingMs: 15 * minuteMs, settleMs: 60 * minuteMs },
    country: config.country,
    lookAgain: (tx, looks) =>
      jobs.enqueueAll(
        tx,
        work.pipeline,
        looks.map(({ at, ...data }) => ({
          data,
          id: jobId("pipeline", data.tenantId, data.callId, String(at)),
          startAfterSeconds: Math.max(0, Math.ceil((at - clock.now()) / 1000)),
        })),
      ),
    askLater: (tx, calls) =>
      jobs.enqueueAll(
        tx,
        work.asking,
        calls.map((data) => ({ data })),
      ),
  };
  await jobs.workTogether(work.pipeline, (batch) =>
    runPipelines(
      deps,
      batch.map(({ data, running: { id, signal } }) => ({ data, jobId: id, signal })),
    ),
  );
  await jobs.work(work.asking, (data, { id, signal }) => runAsking(deps, { data, jobId: id, signal }));
}

/** Sees to it that no call is forgotten whose job was lost. */
export function pipelineSweep({ db, jobs, clock }: Pick<PipelineParts, "db" | "jobs" | "clock">): Sweep {
  const queue = enqueueCallsWith(jobs);
  return { name: "idle pipelines", everyMs: 5_000, run: () => wakeIdlePipelines({ db, clock }, queue) };
}
