import { z } from "zod";

import type { Tx } from "#/db/transaction.ts";
import type { EnqueueResend } from "#/delivery/resend/run.ts";
import { pullLimits } from "#/inbox/pull/limits.ts";
import type { DuePoll } from "#/inbox/pull/store.ts";
import { defineJob, jobId } from "#/jobs/define.ts";
import type { Jobs } from "#/jobs/jobs.ts";
import type { Clock } from "#/kernel/clock.ts";

const call = z.object({ tenantId: z.uuid(), callId: z.uuid() });

/** Every kind of background work, by what it does. */
export const work = {
  /** Sends `call.completed` although a promised report has not come. */
  settle: defineJob({ name: "inbox.settle", data: call, concurrency: 4 }),
  /** Brings calls that ended as far as they can be brought without waiting for anybody outside: while one batch is written, the next one is worked on. */
  pipeline: defineJob({ name: "pipeline.run", data: call, concurrency: 2, batch: 16 }),
  /** The same, and waits for recordings and engines: apart, so that an engine that hangs holds up nobody else. */
  asking: defineJob({ name: "pipeline.ask", data: call, concurrency: 8, expireSeconds: 7_200 }),
  /** Runs a range of stored events again. */
  replay: defineJob({
    name: "inbox.replay",
    data: z.object({ tenantId: z.uuid(), replayId: z.uuid() }),
    expireSeconds: 3_600,
  }),
  /** Asks the provider of a source for what its webhooks did not say. The next turn comes by itself. */
  pull: defineJob({
    name: "inbox.pull",
    data: z.object({ tenantId: z.uuid(), sourceId: z.uuid() }),
    concurrency: 2,
    expireSeconds: 1_800,
  }),
  /** Sends messages once more, at the rate of their resend. */
  resend: defineJob({
    name: "delivery.resend",
    data: z.object({ tenantId: z.uuid(), resendId: z.uuid(), run: z.number().int() }),
    concurrency: 4,
  }),
  /** Removes what is only kept for a while, and makes the coming days' partitions. */
  retention: defineJob({ name: "retention.run", data: z.object({ at: z.string() }), concurrency: 1 }),
  /** Analyses calls once more by a version of a plan. */
  analysis: defineJob({
    name: "evaluation.analyse",
    data: z.object({ tenantId: z.uuid(), jobId: z.uuid(), run: z.number().int() }),
    concurrency: 2,
  }),
  /** Makes calls findable by the runs that were promoted. */
  find: defineJob({
    name: "evaluation.find",
    data: z.object({ tenantId: z.uuid(), promotionId: z.uuid(), after: z.uuid() }),
    concurrency: 1,
    expireSeconds: 7_200,
  }),
  /** Gives feedback on a training session. */
  feedback: defineJob({
    name: "training.feedback",
    data: z.object({
      tenantId: z.uuid(),
      sessionId: z.uuid(),
      /** Which run, and which attempt at it; what an earlier version queued is the first. */
      work: z.number().int().default(1),
      attempt: z.number().int().default(1),
    }),
    concurrency: 8,
  }),
} as const;

/** Each run of an analysis job is queued once, whoever asks for it. */
export function enqueueAnalysisWith(jobs: Jobs) {
  return (tx: Tx, data: { tenantId: string; jobId: string; run: number }, afterMs = 0): Promise<void> => {
    const id = jobId("analysis", data.jobId, String(data.run));
    return jobs.enqueue(tx, work.analysis, data, {
      id,
      ...(afterMs > 0 && { startAfterSeconds: Math.ceil(afterMs / 1000) }),
    });
  };
}

/** Each attempt at the feedback of a session is queued once, whoever asks for it. */
export function enqueueFeedbackWith(jobs: Jobs) {
  return (
    tx: Tx,
    data: { tenantId: string; sessionId: string; work: number; attempt: number },
    afterMs = 0,
  ): Promise<void> => {
    const id = jobId("feedback", data.tenantId, data.sessionId, String(data.work), String(data.attempt));
    return jobs.enqueue(tx, work.feedback, data, {
      id,
      ...(afterMs > 0 && { startAfterSeconds: Math.ceil(afterMs / 1000) }),
    });
  };
}

/** Each run of a resend is queued once, whoever asks for it. */
export function enqueueResendWith(jobs: Jobs): EnqueueResend {
  return (tx, data) => jobs.enqueue(tx, work.resend, data, { id: jobId("resend", data.resendId, String(data.run)) });
}

/** Each turn of a source at its provider's API is queued once, whoever asks for it. */
export function enqueuePullsWith(jobs: Jobs, clock: Clock) {
  return (tx: Tx, due: readonly DuePoll[]): Promise<void> =>
    jobs.enqueueAll(
      tx,
      work.pull,
      due.map(({ tenant_id: tenantId, source_id: sourceId, due_at: at }) => ({
        data: { tenantId, sourceId },
        id: jobId("pull", sourceId, at.toISOString(), String(Math.floor(clock.now() / pullLimits.againMs))),
      })),
    );
}

/** Queues calls for their pipelines, all in one statement. Two jobs of one call do no harm: one of them works. */
export function enqueueCallsWith(jobs: Jobs) {
  return (tx: Tx, calls: readonly { tenantId: string; callId: string }[]): Promise<void> =>
    jobs.enqueueAll(
      tx,
      work.pipeline,
      calls.map((data) => ({ data })),
    );
}
