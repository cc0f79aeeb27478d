import type { Coaching, Evaluation } from "@aftercall/contract/analysis/run.ts";
import type { Transcript } from "@aftercall/contract/call.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import type { AfterCommit, React } from "#/calls/change.ts";
import { loadTranscript } from "#/calls/transcript-store.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { notify } from "#/db/wake.ts";
import type { Clock } from "#/kernel/clock.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";
import { randomFraction } from "#/kernel/random.ts";
import type { Random } from "#/kernel/random.ts";
import type { Conversation } from "#/providers/wonderful/transcript.ts";

import { progressChannel } from "./await-feedback.ts";
import { feedbackOf, whyNoScore } from "./feedback.ts";
import type { TranscriptAnswer } from "./fetch-transcript.ts";
import { retryDelayMs } from "./schedule.ts";
import { showSession } from "./show.ts";
import { loadSession } from "./store.ts";
import { lockWork, markUnderWay, noteFailed, noteReady, noteRetry, noteTranscript } from "./work-store.ts";
import type { WorkRow } from "./work-store.ts";

/** One attempt at the feedback of a session. `work`: which run of it; `attempt`: which try of that run. */
export type FeedbackJob = {
  readonly tenantId: string;
  readonly sessionId: string;
  readonly work: number;
  readonly attempt: number;
};

/** What the analysis of a training call came to. `save` writes the run and gives its id. */
export type Graded =
  | {
      readonly ok: true;
      readonly plan: { readonly id: string; readonly version: number };
      readonly evaluation: Evaluation | null;
      readonly coaching: Coaching | null;
      readonly engine: "builtin" | "llm";
      readonly save: (tx: Tx) => Promise<string>;
    }
  | {
      readonly ok: false;
      /** True: trying again would not mend it. */
      readonly isFinal: boolean;
      readonly reason: string;
      readonly detail: string;
      readonly afterMs: number | null;
    };

export type FeedbackDeps = {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  /** Asks the Communication API of the session's source once. */
  readonly fetchTranscript: (
    tenantId: string,
    session: { readonly sourceId: string | null; readonly communicationId: string },
    signal: AbortSignal,
  ) => Promise<TranscriptAnswer>;
  /** Joins what was said to the call it was said in. */
  readonly tellTranscript: (
    tx: Tx,
    told: { readonly tenantId: string; readonly communicationId: string; readonly conversation: Conversation },
  ) => Promise<{ eventId: string; callId: string; afterCommit: readonly AfterCommit[] }>;
  readonly grade: (
    call: {
      readonly tenantId: string;
      readonly callId: string;
      readonly transcript: Transcript & { readonly id: string };
      /** Feedback without a model is better than none. */
      readonly isLastTry: boolean;
    },
    signal: AbortSignal,
  ) => Promise<Graded>;
  readonly react: React;
  /** Queues an attempt; the same attempt is queued once. */
  readonly enqueue: (tx: Tx, job: FeedbackJob, afterMs: number) => Promise<void>;
};

/**
 * Makes one attempt: transcript, scorecard, feedback. Whatever it comes to is committed together with what follows from it: the
 * message and the completed assignment, or the next attempt. An attempt that was overtaken by another changes nothing, so that
 * a job may run twice.
 */
export async function giveFeedback(deps: FeedbackDeps, job: FeedbackJob, signal: AbortSignal): Promise<void> {
  const work = await begin(deps, job);
  if (!work) return;
  let outcome: Attempted;
  try {
    outcome = await attempt(deps, work, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    deps.log.error({ session_id: work.id, err: error }, "an attempt at feedback broke");
    const detail = "Something went wrong in this server; its log says what.";
    outcome = { kind: "retry", reason: "internal_error", detail, afterMs: null, isFailure: true };
  }
  await finish(deps, job, outcome);
}

type Attempted =
  | { readonly kind: "graded"; readonly graded: Graded & { ok: true } }
  | {
      readonly kind: "retry";
      readonly reason: string;
      readonly detail: string;
      readonly afterMs: number | null;
      readonly isFailure: boolean;
    }
  | { readonly kind: "failed"; readonly reason: string; readonly detail: string };

function isCurrent(work: WorkRow | null, job: FeedbackJob): work is WorkRow {
  return (
    work !== null &&
    (work.state === "requested" || work.is_regenerating) &&
    work.work_number === job.work &&
    work.attempt === job.attempt
  );
}

async function begin({ db }: FeedbackDeps, job: FeedbackJob): Promise<WorkRow | null> {
  return db.inTransaction([job.tenantId], async (tx) => {
    const work = await lockWork(tx, job.tenantId, job.sessionId);
    if (!isCurrent(work, job)) return null;
    await markUnderWay(tx, work);
    return work;
  });
}

async function attempt(deps: FeedbackDeps, work: WorkRow, signal: AbortSignal): Promise<Attempted> {
  const words = await transcriptOf(deps, work, signal);
  if ("kind" in words) return words;
  const { tenant_id: tenantId } = work;
  const { callId, transcript } = words;
  const isLastTry = work.failures + 1 >= limits.feedbackModelFailuresMax;
  const graded = await deps.grade({ tenantId, callId, transcript, isLastTry }, signal);
  if (graded.ok) return { kind: "graded", graded };
  const { reason, detail, afterMs } = graded;
  return graded.isFinal
    ? { kind: "failed", reason, detail }
    : { kind: "retry", reason, detail, afterMs, isFailure: true };
}

async function transcriptOf(
  deps: FeedbackDeps,
  work: WorkRow,
  signal: AbortSignal,
): Promise<{ transcript: Transcript & { readonly id: string }; callId: string } | Attempted> {
  const { tenant_id: tenantId, communication_id: communicationId, source_id: sourceId } = work;
  const eventId = work.transcript_event_id;
  if (eventId !== null && work.call_id !== null) {
    const kept = await deps.db.inTransaction([tenantId], (tx) => loadTranscript(tx, tenantId, { eventId }));
    if (kept) return { transcript: { ...kept.transcript, id: kept.id }, callId: work.call_id };
  }
  if (communicationId === null) {
    return { kind: "failed", reason: "no_call", detail: "No call was reported for this session." };
  }
  const answer = await deps.fetchTranscript(tenantId, { sourceId, communicationId }, signal);
  if (answer.kind === "not_ready") return waitOn(deps, work, answer.detail);
  if (answer.kind === "retry") return { ...answer, isFailure: true };
  if (answer.kind === "give_up") return { kind: "failed", reason: answer.reason, detail: answer.detail };
  const { conversation } = answer;
  const { callId, kept, afterCommit } = await deps.db.inTransaction([tenantId], async (tx) => {
    const held = await lockWork(tx, tenantId, work.id);
    const told = await deps.tellTranscript(tx, { tenantId, communicationId, conversation });
    if (held) await noteTranscript(tx, held, told.eventId, told.callId);
    return { ...told, kept: await loadTranscript(tx, tenantId, { eventId: told.eventId }) };
  });
  for (const run of afterCommit) run();
  if (!kept) throw new Error("a transcript that was just written is gone");
  return { transcript: { ...kept.transcript, id: kept.id }, callId };
}

/** A transcript that is not written yet is waited for, but not for ever. */
function waitOn({ clock }: FeedbackDeps, work: WorkRow, detail: string): Attempted {
  const waited = clock.now() - (work.work_since ?? new Date(clock.now())).getTime();
  if (waited < limits.transcriptWaitMs) {
    return { kind: "retry", reason: "transcript_not_ready", detail, afterMs: null, isFailure: false };
  }
  const hours = Math.round(limits.transcriptWaitMs / 3_600_000);
  return {
    kind: "failed",
    reason: "transcript_missing",
    detail: `${detail} It did not come within ${hours} hours: check api.transcript_path and the communication id.`,
  };
}

async function finish(deps: FeedbackDeps, job: FeedbackJob, outcome: Attempted): Promise<void> {
  const { db, log } = deps;
  const afterCommit = await db.inTransaction([job.tenantId], async (tx) => {
    const work = await lockWork(tx, job.tenantId, job.sessionId);
    if (!isCurrent(work, job)) return [];
    const follows = await commit(deps, tx, work, outcome);
    await notify(tx, progressChannel, `${job.tenantId} ${job.sessionId}`);
    return follows;
  });
  for (const run of afterCommit) run();
  const reason = outcome.kind === "graded" ? null : outcome.reason;
  log.info({ session_id: job.sessionId, attempt: job.attempt, result: outcome.kind, reason }, "training feedback");
}

async function commit(deps: FeedbackDeps, tx: Tx, work: WorkRow, outcome: Attempted): Promise<AfterCommit[]> {
  const { tenant_id: tenantId, id: sessionId } = work;
  if (outcome.kind === "graded") return commitReady(deps, tx, work, outcome.graded);
  const failures = work.failures + (outcome.kind === "retry" && outcome.isFailure ? 1 : 0);
  if (outcome.kind === "failed" || failures >= limits.feedbackFailuresMax) {
    const gaveUp = outcome.kind === "retry" ? ` Given up after ${failures} attempts.` : "";
    await noteFailed(tx, work, outcome.reason, outcome.detail + gaveUp);
    return [];
  }
  const delay = retryDelayMs({ ...outcome, attempt: work.attempt, failures }, randomFraction(deps.random));
  await noteRetry(tx, work, { ...outcome, at: new Date(deps.clock.now() + delay) });
  await deps.enqueue(tx, { tenantId, sessionId, work: work.work_number, attempt: work.attempt + 1 }, delay);
  return [];
}

async function commitReady(
  { react }: FeedbackDeps,
  tx: Tx,
  work: WorkRow,
  graded: Graded & { ok: true },
): Promise<AfterCommit[]> {
  const { tenant_id: tenantId, id } = work;
  const runId = await graded.save(tx);
  const feedback = feedbackOf({ ...graded, planId: toPublicId("analysis_plan", graded.plan.id) });
  await noteReady(tx, work, { feedback, runId, plan: graded.plan, ...whyNoScore(feedback, graded.engine) });
  const session = await loadSession(tx, tenantId, id);
  if (!session) throw new Error("a session that was just written is gone");
  const occurredAt = (session.ready_at ?? session.created_at).getTime();
  return react(tx, [
    {
      type: "training.ready",
      tenantId,
      sessionId: id,
      callId: session.call_id,
      session: showSession(session),
      occurredAt,
    },
  ]);
}
