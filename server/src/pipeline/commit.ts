import type { StepName } from "@aftercall/contract/analysis/step.ts";

import { changesBetween } from "#/calls/change.ts";
import type { AfterCommit, CallResult, Change, React } from "#/calls/change.ts";
import { factOf } from "#/calls/project.ts";
import { type CallRecord, toCall } from "#/calls/record.ts";
import { indexCall } from "#/calls/search-store.ts";
import { lockCalls, saveCalls } from "#/calls/store.ts";
import { insertTranscript } from "#/calls/transcript-store.ts";
import { together } from "#/db/transaction.ts";
import type { Tx } from "#/db/transaction.ts";
import { insertRun } from "#/evaluation/run-store.ts";
import type { Analysed } from "#/evaluation/run.ts";

import { analysedOf, callAnalysisOf, isAnalysed, sectionOfStep, toldDigestOf, withFindings } from "./analysis.ts";
import { type Dossier, isFinal, newsOf, nothingFound, shownTranscript } from "./dossier.ts";
import { isSetAside, withRow } from "./drive.ts";
import { withoutStated } from "./mask.ts";
import { saveMetrics } from "./metric-store.ts";
import { failed } from "./outcome.ts";
import { outputOf } from "./output.ts";
import { analysisResults, arrivedResults } from "./results.ts";
import { keepMaskedOnly } from "./spoken.ts";
import type { Step } from "./step.ts";
import { type Claim, type Release, releasePipeline, renewClaim, saveSteps } from "./store.ts";

/** The pipeline is somebody else's by now: what this run has not written down counts for nothing. */
export class ClaimLost extends Error {}

export type CommitContext = {
  readonly newId: () => string;
  readonly react: React;
  readonly recipe: readonly Step[];
  /** ISO 3166 code by which phone numbers without more are read. */
  readonly country: string | null;
};

/** Writes down what has come since the last time and goes on. @throws ClaimLost */
export async function saveProgress(
  tx: Tx,
  dossier: Dossier,
  claim: Claim,
  { react }: CommitContext,
): Promise<{ dossier: Dossier; afterCommit: AfterCommit[] }> {
  if (!(await renewClaim(tx, claim))) throw new ClaimLost();
  const [, afterCommit] = await together([write(tx, dossier), react(tx, arrivedResults(dossier))]);
  return { dossier: { ...dossier, unsaved: new Set() }, afterCommit };
}

export type Concluded = {
  /** `again`: something came meanwhile that changes what is to be done. */
  readonly next: "done" | "again";
  /** When somebody has to look again; null: only news can move it. Epoch milliseconds. */
  readonly wakeAt: number | null;
  readonly afterCommit: readonly AfterCommit[];
};

/**
 * Ends a run of the pipeline: writes what has come, settles the call when nothing more is expected or its time is over, makes a
 * new run of results that came later, and gives the pipeline back. All in this transaction. @throws ClaimLost
 */
export async function conclude(
  tx: Tx,
  given: Dossier,
  claim: Claim,
  context: CommitContext,
  now: number,
): Promise<Concluded> {
  const { tenantId, callId } = given;
  const record = (await lockCalls(tx, [tenantId], [callId])).get(callId);
  if (!record) throw new ClaimLost();
  if (record.mergedInto !== null) return leave(tx, given, claim);
  if (newsOf(record) !== newsOf(given.record)) return { next: "again", wakeAt: null, afterCommit: [] };
  const settles = given.settledAt === null && (isComplete(given, context.recipe) || now >= given.settleBy);
  const dossier = settles ? settled(given, context.recipe, now) : given;
  const made = shouldRun(dossier, settles) ? { id: context.newId(), analysed: analysedOf(dossier) } : null;
  const { after, changes } = changesOf(dossier, record, made, { settles, now, country: context.country });
  const settledAt = settles ? now : dossier.settledAt;
  const wakeAt = wakeAtOf(dossier, settledAt);
  const release: Release = {
    wakeAt,
    planId: dossier.plan.id,
    planVersion: dossier.plan.version,
    transcriptId: transcriptIdOf(dossier),
    isWithheld: dossier.found.transcript !== null && shownTranscript(dossier) === null,
    runId: made?.id ?? dossier.runId,
    toldDigest: made ? toldDigestOf(dossier) : dossier.toldDigest,
    settledAt,
  };
  const [result, , , , afterCommit] = await together([
    releasePipeline(tx, claim, release),
    write(tx, dossier, made !== null),
    made
      ? insertRun(tx, {
          tenantId,
          callId,
          id: made.id,
          plan: dossier.plan,
          trigger: "pipeline",
          isCurrent: true,
          analysed: made.analysed,
        })
      : Promise.resolve(),
    after === record ? Promise.resolve() : saveCalls(tx, [after]),
    context.react(tx, changes),
  ]);
  if (result === "lost") throw new ClaimLost();
  // Whoever searches finds, and is shown, no more than whoever reads.
  const transcript = shownTranscript(dossier)?.transcript ?? null;
  const summary = factOf(after.state, "summary");
  if (made) {
    await indexCall(tx, { tenantId, callId, call: toCall(after, dossier.aliases), transcript, summary });
  }
  // Until then a step that is tried again, or a recording that is still to come, needs the words as they were said.
  if (wakeAt === null) await keepMaskedOnly(tx, dossier);
  return { next: result === "woken" ? "again" : "done", wakeAt, afterCommit };
}

/** The call turned out to be another one's double: whoever joined them has queued the other's pipeline. */
async function leave(tx: Tx, { plan, settledAt, runId, toldDigest }: Dossier, claim: Claim): Promise<Concluded> {
  const kept = {
    planId: plan.id,
    planVersion: plan.version,
    transcriptId: null,
    isWithheld: false,
    runId,
    toldDigest,
    settledAt,
  };
  const release = { ...kept, wakeAt: null };
  if ((await releasePipeline(tx, claim, release)) === "lost") throw new ClaimLost();
  return { next: "done", wakeAt: null, afterCommit: [] };
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

/** Results that came after the call was settled make a run of their own; what changes nothing makes none. */
function shouldRun(dossier: Dossier, settles: boolean): boolean {
  if (settles) return true;
  return dossier.settledAt !== null && isAnalysed(dossier) && toldDigestOf(dossier) !== dossier.toldDigest;
}

function changesOf(
  dossier: Dossier,
  record: CallRecord,
  made: { readonly id: string; readonly analysed: Analysed } | null,
  { settles, now, country }: { settles: boolean; now: number; country: string | null },
): { after: CallRecord; changes: Change[] } {
  const arrived: CallResult[] = arrivedResults(dossier);
  if (!made) return { after: record, changes: arrived };
  const { tenantId, aliases, plan } = dossier;
  const stated = withoutStated(record, plan.definition.redaction, country);
  const state = withFindings(stated, dossier, made.id, now);
  const next = { ...record, state, version: record.version + 1, updatedAt: now };
  const { record: after, types } = changesBetween(record, next, settles ? "due" : "pipeline");
  const analysis = callAnalysisOf(dossier, made.id, made.analysed);
  const transcript = shownTranscript(dossier)?.transcript ?? null;
  const base = { tenantId, before: record, after, aliases, transcript, receivedAt: now };
  return {
    after,
    changes: [
      ...arrived,
      ...analysisResults(dossier, after, made.id, analysis),
      ...types.map((type) => ({ type, ...base, ...(type === "call.settled" && { analysis }) })),
    ],
  };
}

async function write(tx: Tx, { tenantId, callId, unsaved, steps, found }: Dossier, isInRun = false): Promise<void> {
  const rows = [...unsaved].flatMap((name) => steps.get(name) ?? []);
  const sets = [unsaved.has("measure_audio") ? found.audio : null, unsaved.has("measure_text") ? found.text : null];
  // What a run holds need not be kept twice.
  const kept = isInRun ? { ...found, ...analysisOnly } : found;
  const all = isInRun
    ? [...new Set([...rows, ...[...sectionOfStep.keys()].flatMap((name) => steps.get(name) ?? [])])]
    : rows;
  const heard = unsaved.has("transcribe") ? found.heard : null;
  const covered = unsaved.has("redact") ? found.covered : null;
  await together([
    heard ? insertTranscript(tx, heard) : Promise.resolve(),
    covered ? insertTranscript(tx, covered) : Promise.resolve(),
    saveSteps(
      tx,
      tenantId,
      callId,
      all.map((row) => ({ row, output: outputOf(row, kept) })),
    ),
    saveMetrics(
      tx,
      tenantId,
      callId,
      sets.filter((set) => set !== null),
    ),
  ]);
}

const { summary, fields, trackers, evaluation, coaching } = nothingFound;
const analysisOnly = { summary, fields, trackers, evaluation, coaching };

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
