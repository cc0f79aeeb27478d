import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { limits } from "#/kernel/limits.ts";

import { type ResendContext, stepResend } from "./step.ts";
import { idleResends, lockResend, setState } from "./store.ts";

export type ResendJob = { readonly tenantId: string; readonly resendId: string };

/** Queues the work on a resend; `run` tells one run of it from the next. */
export type EnqueueResend = (tx: Tx, job: ResendJob & { readonly run: number }) => Promise<void>;

/**
 * Works on a resend until it is done, paused or canceled, or until its turn is over: then it stands in line again, so that one
 * long resend does not keep others waiting. Progress is in the database, so any process can take it up at any moment.
 */
export async function runResend(
  { db, clock, enqueue, ...context }: ResendContext & { db: Db; clock: Clock; enqueue: EnqueueResend },
  job: ResendJob,
  signal: AbortSignal,
): Promise<void> {
  const until = clock.monotonic() + limits.resendTurnMs;
  while (!signal.aborted) {
    const pauseMs = await stepResend(db, context, job);
    if (pauseMs === null) return;
    if (clock.monotonic() >= until) return queueAgain(db, job, enqueue);
    await clock.sleep(pauseMs, signal);
  }
}

/** Takes up resends that nobody works at although they should go on: their job was lost, or gave up. Gives their number. */
export async function wakeIdleResends(db: Db, enqueue: EnqueueResend): Promise<number> {
  const idle = await db.inTransaction([], (tx) => idleResends(tx, limits.resendIdleMs));
  for (const { tenant_id: tenantId, id: resendId } of idle) await queueAgain(db, { tenantId, resendId }, enqueue);
  return idle.length;
}

async function queueAgain(db: Db, job: ResendJob, enqueue: EnqueueResend): Promise<void> {
  await db.inTransaction([job.tenantId], async (tx) => {
    const row = await lockResend(tx, job.tenantId, job.resendId);
    if (row?.state !== "running") return;
    const { run_count: run } = await setState(tx, row, "running");
    await enqueue(tx, { ...job, run });
  });
}
