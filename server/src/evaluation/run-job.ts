import type { SectionName } from "@aftercall/contract/analysis/run.ts";
import type { Transcript } from "@aftercall/contract/call.ts";

import { lockCalls } from "#/calls/store.ts";
import { loadTranscript } from "#/calls/transcript-store.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";
import { GiveUp, Retry } from "#/models/failure.ts";

import { builtinPlans } from "./default-plans.ts";
import * as store from "./job-store.ts";
import type { JobCallRow, JobRow } from "./job-store.ts";
import { loadPlan, planOf } from "./plan-store.ts";
import { insertRun, knownInputs } from "./run-store.ts";
import type { Analysed, Plan } from "./run.ts";
import { frozenTranscriptId } from "./test-case-store.ts";

/** Analyses one call by one plan and writes nothing but what engines answered and cost. */
export type Analyse = (
  asked: {
    readonly tenantId: string;
    readonly callId: string;
    readonly plan: Plan;
    readonly sections: readonly SectionName[];
    /** The words, where they are not those that count for the call now. */
    readonly transcript?: Transcript & { readonly id: string };
  },
  signal: AbortSignal,
) => Promise<Analysed>;

export type JobContext = {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly analyse: Analyse;
  readonly enqueue: EnqueueJob;
};

/** Queues the work on a job; `run` tells one run of it from the next. */
export type EnqueueJob = (
  tx: Tx,
  job: { readonly tenantId: string; readonly jobId: string; readonly run: number },
  afterMs?: number,
) => Promise<void>;

/**
 * Works on a job until it is done, paused or canceled, or until its turn is over: then it stands in line again. Each call's
 * result is committed by itself, so any process can take the job up at any moment and none of its calls is paid for twice.
 */
export async function runJob(
  context: JobContext,
  { tenantId, jobId }: { readonly tenantId: string; readonly jobId: string },
  signal: AbortSignal,
): Promise<void> {
  const { db, clock } = context;
  const until = clock.monotonic() + limits.analysisTurnMs;
  while (!signal.aborted) {
    const step = await db.inTransaction([tenantId], async (tx) => {
      const job = await store.findJob(tx, tenantId, jobId, "for update");
      if (job?.state !== "running") return null;
      await store.touchJob(tx, tenantId, jobId);
      const { due, nextMs } = await store.nextCalls(tx, job, job.concurrency);
      if (due.length === 0 && nextMs === null) await store.setJobState(tx, job, "done");
      return { job, due, nextMs, plan: await planFor(tx, job) };
    });
    if (!step || (step.due.length === 0 && step.nextMs === null)) return;
    if (step.due.length === 0) {
      const waitMs = Math.max(step.nextMs ?? 0, 100);
      if (clock.monotonic() + waitMs >= until) return queueAgain(context, step.job, waitMs);
      await clock.sleep(waitMs, signal);
      continue;
    }
    await analyseSome(context, step, signal);
    if (clock.monotonic() >= until) return queueAgain(context, step.job, 0);
  }
}

/** Takes up jobs that nobody works at although they should go on: theirs was lost, or gave up. Gives their number. */
export async function wakeIdleJobs(db: Db, enqueue: EnqueueJob): Promise<number> {
  const idle = await db.inTransaction([], (tx) => store.idleJobs(tx, limits.analysisIdleMs));
  for (const { tenant_id, id } of idle) await queueAgain({ db, enqueue }, { tenant_id, id }, 0);
  return idle.length;
}

async function queueAgain(
  { db, enqueue }: Pick<JobContext, "db" | "enqueue">,
  job: Pick<JobRow, "tenant_id" | "id">,
  afterMs: number,
): Promise<void> {
  await db.inTransaction([job.tenant_id], async (tx) => {
    const row = await store.findJob(tx, job.tenant_id, job.id, "for update");
    if (row?.state !== "running") return;
    const { run_count: run } = await store.setJobState(tx, row, "running");
    await enqueue(tx, { tenantId: job.tenant_id, jobId: job.id, run }, afterMs);
  });
}

type Step = { readonly job: JobRow; readonly due: readonly JobCallRow[]; readonly plan: Plan | null };

/** As many at once as the job may, begun at the distance that its rate asks for. */
async function analyseSome(context: JobContext, { job, due, plan }: Step, signal: AbortSignal): Promise<void> {
  const { clock } = context;
  const gapMs = 60_000 / job.rate_per_minute;
  const began = clock.monotonic();
  await Promise.all(
    due.map(async (call, index) => {
      if (index > 0) await clock.sleep(index * gapMs, signal);
      if (!signal.aborted) await analyseCall(context, job, plan, call, signal);
    }),
  );
  const left = began + due.length * gapMs - clock.monotonic();
  if (left > 0) await clock.sleep(left, signal);
}

async function analyseCall(
  context: JobContext,
  job: JobRow,
  plan: Plan | null,
  { call_id: callId, attempt }: JobCallRow,
  signal: AbortSignal,
): Promise<void> {
  const { db, log } = context;
  const { tenant_id: tenantId } = job;
  if (!plan) return ending({ state: "failed", reason: "plan_gone", detail: "The version of the plan is gone." });
  let analysed: Analysed;
  try {
    const frozen = job.kind === "test" ? await frozenTranscript(context, job, callId) : null;
    const asked = { tenantId, callId, plan, sections: job.sections, ...(frozen && { transcript: frozen }) };
    analysed = await context.analyse(asked, signal);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof GiveUp) return ending({ state: "failed", reason: error.reason, detail: error.message });
    const isOurs = !(error instanceof Retry);
    if (isOurs) log.error({ job_id: job.id, call_id: callId, err: error }, "a call could not be analysed");
    const reason = isOurs ? "internal_error" : error.reason;
    const detail = isOurs ? "Something went wrong in this server; its log says what." : messageOf(error);
    if (attempt + 1 >= limits.analysisAttemptsMax) return ending({ state: "failed", reason, detail });
    const afterMs = Math.max(10_000 * 2 ** attempt, (error instanceof Retry && error.afterMs) || 0);
    await db.inTransaction([tenantId], async (tx) => {
      if (await store.lockPending(tx, job, callId)) await store.retryCall(tx, job, callId, { reason, detail, afterMs });
    });
    return;
  }
  await db.inTransaction([tenantId], (tx) => commit(context, tx, job, plan, callId, analysed));

  async function ending(end: Parameters<typeof store.finishCall>[3]): Promise<void> {
    await db.inTransaction([tenantId], async (tx) => {
      if (await store.lockPending(tx, job, callId)) await store.finishCall(tx, job, callId, end);
    });
  }
}

/** The run and the progress of the job: both or neither. */
async function commit(
  { ids }: JobContext,
  tx: Tx,
  job: JobRow,
  plan: Plan,
  callId: string,
  analysed: Analysed,
): Promise<void> {
  const { tenant_id: tenantId } = job;
  if (!(await store.lockPending(tx, job, callId))) return;
  const { inputHash } = analysed;
  const same = job.is_forced ? null : (await knownInputs(tx, tenantId, [{ callId, inputHash }])).get(callId);
  if (same) return store.finishCall(tx, job, callId, { state: "identical", runId: same });
  await lockCalls(tx, [tenantId], [callId]);
  const runId = ids.next();
  // A run of a test never shows, as that of a preview.
  const trigger = job.kind === "test" ? "preview" : job.kind;
  await insertRun(tx, { tenantId, id: runId, callId, plan, trigger, jobId: job.id, isCurrent: false, analysed });
  await store.finishCall(tx, job, callId, { state: "done", runId });
}

/** The words of a test case, as they were when it was made. */
async function frozenTranscript({ db }: JobContext, { tenant_id, plan_id }: JobRow, callId: string) {
  return db.inTransaction([tenant_id], async (tx) => {
    const id = await frozenTranscriptId(tx, tenant_id, plan_id, callId);
    const kept = id && (await loadTranscript(tx, tenant_id, { id }));
    if (!kept) throw new GiveUp("internal_error", { detail: "The test case, or what was said in it, is gone." });
    return { ...kept.transcript, id: kept.id };
  });
}

async function planFor(tx: Tx, { tenant_id, plan_id, plan_version }: JobRow): Promise<Plan | null> {
  const builtin = builtinPlans.find(({ id }) => id === plan_id);
  if (builtin) return builtin;
  const row = await loadPlan(tx, tenant_id, plan_id, plan_version);
  return row && planOf(row);
}
