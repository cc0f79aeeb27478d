import { SectionName } from "@aftercall/contract/analysis/run.ts";
import type { StepName } from "@aftercall/contract/analysis/step.ts";
import type { Transcript } from "@aftercall/contract/call.ts";

import { aliasesOf } from "#/calls/alias-store.ts";
import { loadMoments } from "#/calls/moment-store.ts";
import { project } from "#/calls/project.ts";
import { loadCall } from "#/calls/store.ts";
import { digestOf, loadCurrentTranscript } from "#/calls/transcript-store.ts";
import { together } from "#/db/transaction.ts";
import type { Db } from "#/db/transaction.ts";
import type { Analysed, Plan } from "#/evaluation/run.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { Log } from "#/kernel/log.ts";
import type { Tracing } from "#/kernel/tracing.ts";
import { GiveUp, Retry } from "#/models/failure.ts";

import { analysedOf, sectionOfStep } from "./analysis.ts";
import { type Dossier, nothingFound, type StepRow, wordsIn } from "./dossier.ts";
import { drive } from "./drive.ts";
import { loadMetrics } from "./metric-store.ts";
import type { OpenContext } from "./open.ts";
import { done, skipped } from "./outcome.ts";
import type { PipelineDeps } from "./run.ts";
import { once, type PipelineLimits, type Step } from "./step.ts";

export type AnalyseOnceDeps = {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Pick<Log, "error">;
  readonly ids: Ids;
  readonly recipe: readonly Step[];
  readonly enginesOf: OpenContext["enginesOf"];
  readonly toolsFor: PipelineDeps["toolsFor"];
  readonly tracing?: Tracing | null;
};

export type OnceAsked = {
  readonly tenantId: string;
  readonly callId: string;
  readonly plan: Plan;
  /** These, and what they need; nothing is said about the others. */
  readonly sections: readonly SectionName[];
  /** What was said, with our id of it, where it is not the one that counts for the call. */
  readonly transcript?: Transcript & { readonly id: string };
  /** The last try: what a model cannot do now is done without it, where the plan allows that. */
  readonly isLastTry?: boolean;
};

/** Everything before the analysis: what came of it is read, and never done again. */
const before: readonly StepName[] = ["fetch_recording", "measure_audio", "import_transcript", "transcribe"];

/**
 * Analyses a call once by any version of a plan, beside its pipeline: the same steps over the same words, and nothing of it is
 * written but what engines answered and cost.
 * @throws Retry what an engine cannot answer now; GiveUp where the call is gone
 */
export async function analyseOnce(deps: AnalyseOnceDeps, asked: OnceAsked, signal: AbortSignal): Promise<Analysed> {
  const { clock, ids, log } = deps;
  const wanted = withWhatTheyNeed(asked);
  const dossier = await openOnce(deps, { ...asked, plan: reduced(asked.plan, wanted) });
  const more = deps.toolsFor(dossier, signal);
  const failures: Retry[] = [];
  const bugs: unknown[] = [];
  const recipe = deps.recipe
    .filter(({ name }) => !before.includes(name) && name !== "settle")
    .map((step) => (isWanted(step, wanted) ? triedOnce(step, asked.isLastTry ? null : failures) : leftOut(step)));
  const driven = await drive(dossier, {
    recipe,
    tracing: deps.tracing ?? null,
    save: async (current) => current,
    tools: () => ({ ...more, now: clock.now(), signal, newId: () => ids.next(), limits: nothingToWaitFor }),
    onBug(step, error) {
      log.error({ step, call: asked.callId, err: error }, "a step of an analysis failed");
      bugs.push(error);
    },
  });
  signal.throwIfAborted();
  const [failure] = failures;
  if (failure) throw failure;
  if (bugs.length > 0 && !asked.isLastTry) throw bugs[0];
  // What was masked for this analysis alone is not kept.
  const analysed = { ...analysedOf(driven), transcriptId: driven.found.transcript?.id ?? null };
  const made = Object.entries(analysed.sections).filter(([name]) => wanted.has(SectionName.parse(name)));
  return { ...analysed, sections: Object.fromEntries(made) };
}

/** Coaching is about a scorecard, and a scorecard may be about fields; topics are those of trackers as well. */
function withWhatTheyNeed({ sections, plan }: OnceAsked): ReadonlySet<SectionName> {
  const wanted = new Set(sections);
  if (wanted.has("coaching")) wanted.add("evaluation");
  const isTracked = plan.definition.trackers.some(({ topic }) => topic !== null);
  if (wanted.has("topics") && isTracked) wanted.add("tracking");
  const isAboutFields = plan.definition.rubric?.criteria.some(({ kind }) => kind === "extraction") ?? false;
  if (wanted.has("evaluation") && isAboutFields) wanted.add("extraction");
  return wanted;
}

/** The plan without what is not wanted: a model is asked for the rest alone. */
function reduced(plan: Plan, wanted: ReadonlySet<SectionName>): Plan {
  const { definition } = plan;
  return {
    ...plan,
    definition: {
      ...definition,
      summary: { ...definition.summary, enabled: definition.summary.enabled && wanted.has("summary") },
      fields: wanted.has("extraction") ? definition.fields : [],
      topics: wanted.has("topics") ? definition.topics : { list: [], free: false },
      sentiment: { enabled: definition.sentiment.enabled && wanted.has("sentiment") },
      rubric: wanted.has("evaluation") ? definition.rubric : null,
      coaching: { ...definition.coaching, enabled: definition.coaching.enabled && wanted.has("coaching") },
    },
  };
}

/** The call is over and its words are there. */
const nothingToWaitFor: PipelineLimits = { reportMs: 0, recordingMs: 0, settleMs: 0 };

async function openOnce({ db, clock, enginesOf }: AnalyseOnceDeps, asked: OnceAsked): Promise<Dossier> {
  const { tenantId, plan, transcript } = asked;
  return db.inTransaction([tenantId], async (tx) => {
    const record = await loadCall(tx, tenantId, asked.callId);
    if (!record) throw new GiveUp("internal_error", { detail: "The call is gone." });
    const [engines, aliases, sets, moments, current] = await together([
      enginesOf(tx, tenantId),
      aliasesOf(tx, [tenantId], [record.id]),
      loadMetrics(tx, tenantId, record.id),
      loadMoments(tx, [record]),
      transcript ? Promise.resolve(null) : loadCurrentTranscript(tx, tenantId, record.id),
    ]);
    const now = clock.now();
    const given = transcript && {
      id: transcript.id,
      origin: "import",
      redaction: "none" as const,
      parentId: null,
      digest: digestOf(transcript),
      transcript,
    };
    const said = given ?? current;
    return {
      tenantId,
      callId: record.id,
      record,
      seen: project(record.state),
      aliases: aliases.get(record.id) ?? [],
      plan,
      engines,
      told: said,
      moments,
      startedAt: now,
      settleBy: now,
      settledAt: null,
      runId: null,
      toldDigest: null,
      steps: new Map(before.map((name) => [name, finished(name, now)])),
      found: {
        ...nothingFound,
        transcript: said,
        words: said && wordsIn(said),
        audio: sets.find(({ basis }) => basis === "audio") ?? null,
      },
      unsaved: new Set(),
    };
  });
}

function isWanted({ name }: Step, wanted: ReadonlySet<SectionName>): boolean {
  const section = sectionOfStep.get(name);
  return section === undefined || wanted.has(section);
}

/** A step whose failure is heard outside: `failures` takes what another try may mend. */
function triedOnce(step: Step, failures: Retry[] | null): Step {
  return {
    ...step,
    tries: once,
    async run(dossier, tools) {
      try {
        return await step.run(dossier, tools);
      } catch (error) {
        if (error instanceof Retry) failures?.push(error);
        throw error;
      }
    },
  };
}

function leftOut(step: Step): Step {
  return {
    name: step.name,
    needs: step.needs,
    tries: once,
    input: () => "left out",
    asks: () => false,
    run: () => (sectionOfStep.has(step.name) ? skipped("disabled_by_plan", "Not asked for in this run.") : done({})),
  };
}

function finished(step: StepName, now: number): StepRow {
  return {
    step,
    state: "succeeded",
    reason: null,
    detail: null,
    attempt: 1,
    attemptsMax: 1,
    nextAttemptAt: null,
    retried: 0,
    inputHash: null,
    engine: null,
    usage: null,
    cost: [],
    queuedAt: now,
    startedAt: now,
    finishedAt: now,
  };
}
