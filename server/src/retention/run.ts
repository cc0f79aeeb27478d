import { allTenants } from "#/db/all-tenants.ts";
import type { Db } from "#/db/transaction.ts";
import { messageOf } from "#/kernel/errors.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";

import * as store from "./store.ts";

/** How many days each thing is kept. */
export type RetentionDays = {
  readonly attempts: number;
  readonly attemptBodies: number;
  readonly messageBodies: number;
  readonly deliveries: number;
  readonly eventKeys: number;
  readonly quarantine: number;
  readonly engineCosts: number;
  readonly engineAnswers: number;
  readonly analysisJobs: number;
};

export type RetentionMetrics = {
  readonly attemptDaysAhead: { set(days: number): void };
  readonly retentionRunsTotal: { inc(labels: { result: "done" | "failed" }): void };
};

export type RetentionContext = {
  readonly db: Db;
  readonly log: Log;
  readonly metrics: RetentionMetrics;
  readonly days: RetentionDays;
};

/**
 * Makes the coming days ready and removes what has been kept for long enough, each part in transactions of its own: one that
 * fails leaves the others their turn. Safe to run at any time, in any number of processes.
 * @throws AggregateError after everything was tried, so that the job is tried again.
 */
export async function runRetention(context: RetentionContext, signal: AbortSignal): Promise<Record<string, number>> {
  const { db, log, metrics } = context;
  const removed: Record<string, number> = {};
  const failures: unknown[] = [];
  for (const [name, work] of partsOf(context, signal)) {
    if (signal.aborted) break;
    try {
      const count = await work();
      if (count > 0) removed[name] = count;
    } catch (error) {
      log.error({ part: name, reason: messageOf(error) }, "RETENTION FAILED, TRYING AGAIN");
      failures.push(error);
    }
  }
  metrics.attemptDaysAhead.set(await db.inTransaction([], store.daysAhead));
  metrics.retentionRunsTotal.inc({ result: failures.length > 0 ? "failed" : "done" });
  if (Object.keys(removed).length > 0) log.info({ removed }, "retention");
  if (failures.length > 0) throw new AggregateError(failures, "Not all of retention could be done");
  return removed;
}

function partsOf({ db, days }: RetentionContext, signal: AbortSignal): [string, () => Promise<number>][] {
  const dropped = (table: "attempts" | "attempt_bodies", kept: number) => async () =>
    (await db.inTransaction([], (tx) => store.dropDays(tx, table, kept))).length;
  const purged = (purge: store.Purge, kept: number) => () => purgeAll(db, purge, kept, signal);
  // A delivery is the way to its attempts and the bytes of its message, so it stays as long as these.
  const listed = Math.max(days.deliveries, days.attempts, days.messageBodies);
  return [
    ["days made ready", () => prepare(db)],
    ["days of attempts", dropped("attempts", days.attempts)],
    ["days of answers", dropped("attempt_bodies", Math.min(days.attemptBodies, days.attempts))],
    ["message bodies", purged(store.purgeMessageBodies, days.messageBodies)],
    ["deliveries", purged(store.purgeDeliveries, listed)],
    ["messages", purged(store.purgeMessages, listed)],
    ["event keys", purged(store.purgeEventKeys, days.eventKeys)],
    ["refused requests", purged(store.purgeQuarantine, days.quarantine)],
    ["costs of engines", purged(store.purgeEngineCosts, days.engineCosts)],
    ["answers of engines", purged(store.purgeEngineAnswers, days.engineAnswers)],
    ["calls of analysis jobs", purged(store.purgeJobCalls, days.analysisJobs)],
    ["previews", purged(store.purgePreviews, days.analysisJobs)],
    ["analysis jobs", purged(store.purgeJobs, days.analysisJobs)],
  ];
}

async function prepare(db: Db): Promise<number> {
  await db.inTransaction([], (tx) => store.prepareDays(tx, limits.attemptDaysAhead));
  return 0;
}

/** Tenant by tenant, and for each in small transactions, so that nothing else has to wait. */
async function purgeAll(db: Db, purge: store.Purge, daysKept: number, signal: AbortSignal): Promise<number> {
  let total = 0;
  for (const tenant of await db.inTransaction([], allTenants)) {
    for (
      let count: number = limits.retentionRowsMax;
      count >= limits.retentionRowsMax && !signal.aborted;
      total += count
    ) {
      count = await db.inTransaction([tenant], (tx) => purge(tx, tenant, daysKept, limits.retentionRowsMax));
    }
  }
  return total;
}
