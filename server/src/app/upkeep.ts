import type { Db } from "#/db/transaction.ts";
import type { EndpointBook } from "#/delivery/endpoints/book.ts";
import { runResend, wakeIdleResends } from "#/delivery/resend/run.ts";
import { jobId } from "#/jobs/define.ts";
import type { Jobs } from "#/jobs/jobs.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Config } from "#/kernel/config.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";
import type { Metrics } from "#/kernel/metrics.ts";
import { runRetention } from "#/retention/run.ts";

import { enqueueResendWith, work } from "./work.ts";

export type UpkeepParts = {
  readonly config: Config;
  readonly db: Db;
  readonly jobs: Jobs;
  readonly book: EndpointBook;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly metrics: Metrics;
};

/** Does the work of resends and of retention in this process. */
export async function workOnUpkeep({ config, jobs, metrics, ...parts }: UpkeepParts): Promise<void> {
  const enqueue = enqueueResendWith(jobs);
  const days = {
    attempts: config.attemptsDays,
    attemptBodies: config.attemptBodiesDays,
    messageBodies: config.messageBodiesDays,
    deliveries: config.deliveriesDays,
    eventKeys: config.eventKeysDays,
    quarantine: config.quarantineDays,
    engineCosts: config.engineCostsDays,
    engineAnswers: config.engineAnswersDays,
    analysisJobs: config.analysisJobsDays,
  };
  await jobs.work(work.resend, (data, { signal }) => runResend({ ...parts, enqueue }, data, signal));
  await jobs.work(work.retention, async (_data, { signal }) => {
    await runRetention({ ...parts, metrics, days }, signal);
  });
}

/** Sees to it that resends which lost their job go on, and that retention is queued: every process asks, the queue takes one. */
export function upkeepSweeps({ db, jobs, clock }: Pick<UpkeepParts, "db" | "jobs" | "clock">) {
  return [
    { name: "idle resends", everyMs: limits.resendIdleMs, run: () => wakeIdleResends(db, enqueueResendWith(jobs)) },
    { name: "retention", everyMs: limits.resendIdleMs, run: queueRetention },
  ];

  async function queueRetention(): Promise<void> {
    const at = new Date(Math.floor(clock.now() / limits.retentionEveryMs) * limits.retentionEveryMs).toISOString();
    await db.inTransaction([], (tx) => jobs.enqueue(tx, work.retention, { at }, { id: jobId("retention", at) }));
  }
}
