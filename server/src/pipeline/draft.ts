import type { StepName } from "@aftercall/contract/analysis/step.ts";

import { type CallResult, type Change, changesBetween } from "#/calls/change.ts";
import { factOf } from "#/calls/project.ts";
import { type CallRecord, changedAt, toCall } from "#/calls/record.ts";
import type { Findable } from "#/calls/search-store.ts";
import type { CallState } from "#/calls/state.ts";
import type { KnownRun } from "#/evaluation/provider-run-store.ts";
import type { NewRun } from "#/evaluation/run-store.ts";

import { callAnalysisOf, toldDigestOf, withFindings } from "./analysis.ts";
import { type Dossier, isFinal, shownTranscript } from "./dossier.ts";
import { isSetAside, withRow } from "./drive.ts";
import { withKeptRecording } from "./kept-recording.ts";
import { withoutStated } from "./mask.ts";
import { shownMoments } from "./moments.ts";
import { failed } from "./outcome.ts";
import { analysisResults, arrivedResults } from "./results.ts";
import { newRuns, type Runs, runsOf } from "./runs.ts";
import type { Step } from "./step.ts";
import type { Claim, Release } from "./store.ts";

/** A call that was worked on, and the claim under which. */
export type Work = { readonly dossier: Dossier; readonly claim: Claim };

/** What is to be written and told of one call at the end of a run. */
export type Draft = {
  readonly dossier: Dossier;
  /** The call turned out to be another one's double. */
  readonly isLeaving: boolean;
  readonly record: CallRecord;
  readonly after: CallRecord;
  readonly release: Release;
  readonly runs: readonly NewRun[];
  readonly changes: readonly Change[];
};

export type DraftContext = {
  readonly newId: () => string;
  readonly recipe: readonly Step[];
  /** ISO 3166 code by which phone numbers without more are read. */
  readonly country: string | null;
  /** Epoch milliseconds. */
  readonly now: number;
  /** What the provider made of this call, where it is written already. */
  readonly known: KnownRun | null;
};

/** Settles a call of which nothing more is expected or whose time is over; makes a new run of results that came later. */
export function draftOf({ dossier: given, claim }: Work, record: CallRecord, context: DraftContext): Draft {
  const { now, known, newId } = context;
  const settles = given.settledAt === null && (isComplete(given, context.recipe) || now >= given.settleBy);
  const dossier = settles ? settled(given, context.recipe, now) : given;
  const stated = withoutStated(record, dossier.plan.definition.redaction, context.country);
  const runs = runsOf(dossier, { stated, settles, known }, newId);
  const { made } = runs;
  const { after, changes } = changesOf(dossier, record, { ...runs, stated, settles, now });
  const settledAt = settles ? now : dossier.settledAt;
  const release: Release = {
    claim,
    wakeAt: wakeAtOf(dossier, settledAt),
    planId: dossier.plan.id,
    planVersion: dossier.plan.version,
    transcriptId: transcriptIdOf(dossier),
    isWithheld: isWithheld(dossier),
    runId: made?.id ?? dossier.runId,
    toldDigest: made ? toldDigestOf(dossier) : dossier.toldDigest,
    settleBy: dossier.settleBy,
    settledAt,
  };
  return { dossier, isLeaving: false, record, after, release, runs: newRuns(dossier, runs), changes };
}

/** Something was said or happened that has to be masked and is not. */
function isWithheld(dossier: Dossier): boolean {
  return (dossier.found.transcript !== null && shownTranscript(dossier) === null) || shownMoments(dossier) === null;
}

/** Only gives the pipeline back: whoever joined the call to another one has queued that one's pipeline. */
export function leaving({ dossier, claim }: Work, record: CallRecord): Draft {
  const { plan, settleBy, settledAt, runId, toldDigest } = dossier;
  const kept = { planId: plan.id, planVersion: plan.version, settleBy, settledAt, runId, toldDigest };
  const release = { ...kept, claim, wakeAt: null, transcriptId: null, isWithheld: false };
  const nothing = { ...dossier, unsaved: new Set<StepName>() };
  return { dossier: nothing, isLeaving: true, record, after: record, release, runs: [], changes: [] };
}

/** Whoever searches finds, and is shown, no more than whoever reads. */
export function findableIn({ dossier, after, runs }: Draft): Findable[] {
  if (runs.length === 0) return [];
  const { tenantId, callId, aliases } = dossier;
  const transcript = shownTranscript(dossier)?.transcript ?? null;
  const summary = factOf(after.state, "summary");
  return [{ tenantId, callId, call: toCall(after, aliases), transcript, summary }];
}

function isComplete(dossier: Dossier, recipe: readonly Step[]): boolean {
  return recipe.every(({ name }) => isFinal(dossier.steps.get(name)) || isSetAside(name, dossier));
}

/** What has not come by now has failed; a recording that is still being tried may come later all the same. */
function settled(given: Dossier, recipe: readonly Step[], now: number): Dossier {
  let dossier = given;
  for (const { name, tries } of recipe) {
    const row = dossier.steps.get(name);
    if (isFinal(row) || isSetAside(name, dossier)) continue;
    const late = failed("deadline", "It had not come to an end when the call had to be settled.");
    dossier = withRow(dossier, {
      ...blank(name, tries.max, now),
      ...row,
      state: late.state,
      reason: late.reason,
      detail: late.detail,
      nextAttemptAt: null,
      finishedAt: now,
    });
  }
  const settle = {
    ...blank("settle", 1, now),
    state: "succeeded",
    attempt: 1,
    startedAt: now,
    finishedAt: now,
  } as const;
  return withRow(dossier, settle);
}

function blank(step: StepName, attemptsMax: number, now: number) {
  return {
    step,
    attempt: 0,
    attemptsMax,
    retried: 0,
    reason: null,
    detail: null,
    nextAttemptAt: null,
    inputHash: null,
    engine: null,
    usage: null,
    cost: [],
    queuedAt: now,
    startedAt: null,
  };
}

type Concluding = Runs & {
  /** What is known of the call, without the personal data that its provider wrote. */
  readonly stated: CallState;
  readonly settles: boolean;
  readonly now: number;
};

function changesOf(
  dossier: Dossier,
  record: CallRecord,
  { made, provider, stated, settles, now }: Concluding,
): { after: CallRecord; changes: Change[] } {
  const arrived: CallResult[] = arrivedResults(dossier);
  const state = withKeptRecording(made ? withFindings(stated, dossier, made.id, now) : record.state, dossier);
  if (state === record.state) return { after: record, changes: arrived };
  const { tenantId, aliases } = dossier;
  const next = { ...record, state, version: record.version + 1, updatedAt: changedAt(record, now) };
  const { record: after, types } = changesBetween(record, next, settles ? "due" : "pipeline");
  const transcript = shownTranscript(dossier)?.transcript ?? null;
  const base = { tenantId, before: record, after, aliases, transcript, receivedAt: now };
  if (!made) return { after, changes: [...arrived, ...types.map((type) => ({ type, ...base }))] };
  const analysis = callAnalysisOf(dossier, made, provider);
  // Where only the provider has something new to say, that is what is told of.
  const subject = made.isNew ? made.id : (provider?.id ?? made.id);
  const costs = [...dossier.steps.values()].flatMap(({ cost }) => cost);
  const current = settles ? undefined : newRuns(dossier, { made, provider }).find(({ isCurrent }) => isCurrent);
  const whole = { analysis, costs, moments: shownMoments(dossier) ?? [] };
  return {
    after,
    changes: [
      ...arrived,
      ...analysisResults(dossier, after, { runId: made.id, subject }, analysis),
      ...types.map((type) => ({ type, ...base, ...(type === "call.settled" && whole) })),
      ...(current && after.announced.includes("call.completed")
        ? [{ type: "call.resettled" as const, ...base, ...whole, runId: current.id }]
        : []),
    ],
  };
}

/** Null while the provider's own transcript counts: then a better one of its own takes its place by itself. */
function transcriptIdOf({ found, told }: Dossier): string | null {
  const counts = found.masked ?? found.transcript;
  if (!counts) return null;
  return counts.id === told?.id && counts.origin !== "human_edit" ? null : counts.id;
}

function wakeAtOf(dossier: Dossier, settledAt: number | null): number | null {
  const tries = [...dossier.steps.values()].flatMap((row) =>
    isFinal(row) || row.nextAttemptAt === null ? [] : [row.nextAttemptAt],
  );
  const times = settledAt === null ? [...tries, dossier.settleBy] : tries;
  return times.length > 0 ? Math.min(...times) : null;
}
