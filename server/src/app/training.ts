import { SectionName } from "@aftercall/contract/analysis/run.ts";

import { lockCalls } from "#/calls/store.ts";
import type { Db } from "#/db/transaction.ts";
import { privateTargetsOf } from "#/delivery/endpoints/private-targets-store.ts";
import { everywhere } from "#/engines/defaults.ts";
import { insertRun } from "#/evaluation/run-store.ts";
import type { Analysed } from "#/evaluation/run.ts";
import type { BatchContext } from "#/inbox/store-batch.ts";
import { tell } from "#/inbox/tell.ts";
import type { Jobs } from "#/jobs/jobs.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";
import type { Random } from "#/kernel/random.ts";
import { GiveUp, Retry } from "#/models/failure.ts";
import type { AnalyseOnceDeps, OnceAsked } from "#/pipeline/analyse-once.ts";
import { WonderfulSetup } from "#/providers/wonderful/setup.ts";
import type { Sources } from "#/sources/active.ts";
import { fetchTranscript } from "#/training/fetch-transcript.ts";
import { giveFeedback } from "#/training/give-feedback.ts";
import type { FeedbackDeps, Graded } from "#/training/give-feedback.ts";

import { planFor } from "./analysis.ts";
import { pipelineResult } from "./pipeline-result.ts";
import { enqueueFeedbackWith, work } from "./work.ts";

export type TrainingParts = {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly ids: Ids;
  readonly http: GuardedHttp;
  readonly sources: Sources;
  readonly context: BatchContext;
  readonly jobs: Jobs;
  /** Whose server it is, where its configuration says that Wonderful is reached, and the client for such URLs. */
  readonly operator: { readonly tenantId: string; readonly baseUrl: string | null; readonly http: GuardedHttp };
  readonly enginesOf: AnalyseOnceDeps["enginesOf"];
  /** Whether calls have a pipeline, which analyses practice calls as well. */
  readonly isAnalysing: boolean;
  readonly analyse: (asked: OnceAsked, signal: AbortSignal) => Promise<Analysed>;
};

/** Does the work of training feedback in this process. */
export async function workOnTraining(parts: TrainingParts): Promise<void> {
  const { db, clock, log, random, context, jobs } = parts;
  const deps: FeedbackDeps = {
    db,
    clock,
    log,
    random,
    react: context.hooks.react,
    enqueue: enqueueFeedbackWith(jobs),
    fetchTranscript: fetchWith(parts),
    async tellTranscript(tx, { tenantId, communicationId, conversation }) {
      const { transcript, startedAt, endedAt } = conversation;
      const { applied, eventId, afterCommit } = await tell(tx, context, {
        tenantId,
        provider: "wonderful",
        aliases: [{ kind: "communication_id", value: communicationId }],
        heard: null,
        userId: null,
        facts: {
          started_at: startedAt,
          ended_at: endedAt,
          duration_ms: startedAt !== null && endedAt !== null ? endedAt - startedAt : null,
        },
        transcript,
      });
      return { eventId, callId: applied.record.id, afterCommit };
    },
    grade: (call, signal) => grade(parts, call, signal),
  };
  await jobs.work(work.feedback, (job, { signal }) => giveFeedback(deps, job, signal));
}

/** The operator's own URL may lead anywhere in the operator's network; one that a tenant set may not. */
function fetchWith({ db, http, sources, operator }: TrainingParts): FeedbackDeps["fetchTranscript"] {
  return async (tenantId, { sourceId, communicationId }, signal) => {
    const source = sourceId === null ? null : await sources.byId(tenantId, sourceId);
    if (!source || source.provider.name !== "wonderful") {
      return {
        kind: "give_up",
        reason: "api_not_configured",
        detail: "The source that reported the call is gone, and with it where its transcript is fetched from.",
      };
    }
    const { api } = WonderfulSetup.parse(source.setup);
    const isOperators = tenantId === operator.tenantId && api.base_url === operator.baseUrl;
    const privateTargets = isOperators
      ? everywhere
      : await db.inTransaction([tenantId], (tx) => privateTargetsOf(tx, tenantId));
    const { secrets } = source;
    const timeoutMs = limits.transcriptTimeoutMs;
    const client = isOperators ? operator.http : http;
    return fetchTranscript(client, { communicationId, api, secrets, privateTargets, signal, timeoutMs });
  };
}

async function grade(
  parts: TrainingParts,
  { tenantId, callId, transcript, isLastTry }: Parameters<FeedbackDeps["grade"]>[0],
  signal: AbortSignal,
): Promise<Graded> {
  const { db, ids, analyse } = parts;
  const { plan, engines } = await db.inTransaction([tenantId], async (tx) => ({
    plan: await planFor(tx, tenantId, callId),
    engines: await parts.enginesOf(tx, tenantId),
  }));
  let analysed: Analysed;
  try {
    if (parts.isAnalysing && engines.language && plan.definition.engine.use !== "builtin" && !isLastTry) {
      const run = await pipelineResult(parts, { tenantId, callId, transcriptId: transcript.id, plan }, signal);
      if (run) return { ok: true, plan, ...gradeIn(run), save: async () => run.id };
    }
    analysed = await analyse({ tenantId, callId, plan, sections: SectionName.options, transcript, isLastTry }, signal);
  } catch (error) {
    if (error instanceof Retry) {
      return { ok: false, isFinal: false, reason: error.reason, detail: error.message, afterMs: error.afterMs };
    }
    if (error instanceof GiveUp) {
      return { ok: false, isFinal: true, reason: error.reason, detail: error.message, afterMs: null };
    }
    throw error;
  }
  const { evaluation: section } = analysed.sections;
  if (section?.state === "failed") {
    const detail = section.detail ?? "The scorecard could not be filled in.";
    return { ok: false, isFinal: true, reason: section.reason ?? "invalid_output", detail, afterMs: null };
  }
  return {
    ok: true,
    plan,
    ...gradeIn(analysed),
    async save(tx) {
      const id = ids.next();
      await lockCalls(tx, [tenantId], [callId]);
      await insertRun(tx, { tenantId, id, callId, plan, trigger: "training", isCurrent: true, analysed });
      return id;
    },
  };
}

function gradeIn({ sections, evaluation, coaching }: Pick<Analysed, "sections" | "evaluation" | "coaching">) {
  const engine = sections.evaluation?.engine?.kind === "llm" ? ("llm" as const) : ("builtin" as const);
  return { evaluation, coaching, engine };
}
