import type { AfterCommit, React } from "#/calls/change.ts";
import { saveMaskedMoments } from "#/calls/moment-store.ts";
import { indexCalls } from "#/calls/search-store.ts";
import { lockCalls, saveCalls } from "#/calls/store.ts";
import { insertTranscript } from "#/calls/transcript-store.ts";
import { together } from "#/db/transaction.ts";
import type { Tx } from "#/db/transaction.ts";
import { providerRunsOf } from "#/evaluation/provider-run-store.ts";
import { insertRuns } from "#/evaluation/run-store.ts";

import { type Dossier, newsOf } from "./dossier.ts";
import { type Draft, type DraftContext, draftOf, findableIn, leaving, type Work } from "./draft.ts";
import { saveMetrics } from "./metric-store.ts";
import { maskedMomentsIn, metricsIn, stepsIn, transcriptsIn } from "./output.ts";
import { arrivedResults } from "./results.ts";
import { keepMaskedOnly } from "./spoken.ts";
import { type Claim, releasePipelines, renewClaim, saveSteps } from "./store.ts";

/** The pipeline is somebody else's by now: what this run has not written down counts for nothing. */
export class ClaimLost extends Error {}

export type CommitContext = Omit<DraftContext, "now" | "known"> & { readonly react: React };

/** Writes down what has come since the last time and goes on. @throws ClaimLost */
export async function saveProgress(
  tx: Tx,
  dossier: Dossier,
  claim: Claim,
  { react }: CommitContext,
): Promise<{ dossier: Dossier; afterCommit: AfterCommit[] }> {
  if (!(await renewClaim(tx, claim))) throw new ClaimLost();
  const [, afterCommit] = await together([
    write(tx, [{ dossier, isInRun: false }]),
    react(tx, arrivedResults(dossier)),
  ]);
  return { dossier: { ...dossier, unsaved: new Set() }, afterCommit };
}

export type Conclusion = {
  /** `again`: something came meanwhile that changes what is to be done. */
  readonly next: "done" | "again";
  /** When somebody has to look again; null: only news can move it. Epoch milliseconds. */
  readonly wakeAt: number | null;
};

/**
 * Ends a run of the pipelines of calls: writes what has come, settles the calls of which nothing more is expected or whose time is
 * over, makes new runs of results that came later, and gives the pipelines back. All in this transaction, and in as many
 * statements for fifty calls as for one. Conclusions are by call. @throws ClaimLost
 */
export async function conclude(
  tx: Tx,
  works: readonly Work[],
  { react, ...context }: CommitContext,
  now: number,
): Promise<{ conclusions: Map<string, Conclusion>; afterCommit: AfterCommit[] }> {
  const calls = works.map(({ dossier }) => dossier);
  const records = await lockCalls(
    tx,
    calls.map(({ tenantId }) => tenantId),
    calls.map(({ callId }) => callId),
  );
  // A call that is settled for the first time has none yet.
  const late = calls.filter(({ settledAt, record }) => settledAt !== null && record.state.facts.provider_analysis);
  const known = await providerRunsOf(tx, late);
  const conclusions = new Map<string, Conclusion>();
  const drafts: Draft[] = [];
  for (const work of works) {
    const { callId } = work.dossier;
    const record = records.get(callId);
    if (!record) throw new ClaimLost();
    if (record.mergedInto !== null) drafts.push(leaving(work, record));
    else if (newsOf(record) === newsOf(work.dossier.record)) {
      drafts.push(draftOf(work, record, { ...context, now, known: known.get(callId) ?? null }));
    } else conclusions.set(callId, { next: "again", wakeAt: null });
  }
  const [released, , afterCommit] = await together([
    releasePipelines(
      tx,
      drafts.map(({ release }) => release),
    ),
    writeAll(tx, drafts),
    react(
      tx,
      drafts.flatMap(({ changes }) => changes),
    ),
  ]);
  for (const { dossier, release, isLeaving } of drafts) {
    const result = released.get(dossier.callId);
    if (!result) throw new ClaimLost();
    const { wakeAt } = release;
    // Until then a step that is tried again, or a recording that is still to come, needs the words as they were said.
    // oxlint-disable-next-line no-await-in-loop -- One statement after the other on one connection, and hardly ever any.
    if (wakeAt === null && !isLeaving) await keepMaskedOnly(tx, dossier);
    conclusions.set(dossier.callId, { next: result === "woken" && !isLeaving ? "again" : "done", wakeAt });
  }
  return { conclusions, afterCommit };
}

async function writeAll(tx: Tx, drafts: readonly Draft[]): Promise<void> {
  await together([
    write(
      tx,
      drafts.map(({ dossier, runs }) => ({ dossier, isInRun: runs.length > 0 })),
    ),
    insertRuns(
      tx,
      drafts.flatMap(({ runs }) => runs),
    ),
    saveCalls(
      tx,
      drafts.flatMap(({ record, after }) => (after === record ? [] : [after])),
    ),
    indexCalls(tx, drafts.flatMap(findableIn)),
  ]);
}

type Written = { readonly dossier: Dossier; readonly isInRun: boolean };

/** Writes what is new in these calls. What a run holds need not be kept twice. */
async function write(tx: Tx, calls: readonly Written[]): Promise<void> {
  const dossiers = calls.map(({ dossier }) => dossier);
  await together([
    saveSteps(
      tx,
      calls.flatMap(({ dossier, isInRun }) => stepsIn(dossier, isInRun)),
    ),
    saveMetrics(tx, dossiers.flatMap(metricsIn)),
    ...dossiers.flatMap(transcriptsIn).map((row) => insertTranscript(tx, row)),
    ...dossiers.flatMap(maskedMomentsIn).map(({ tenantId, moments }) => saveMaskedMoments(tx, tenantId, moments)),
  ]);
}
