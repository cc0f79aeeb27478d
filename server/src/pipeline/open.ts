import { aliasesOf } from "#/calls/alias-store.ts";
import { isConnected, isOver, project } from "#/calls/project.ts";
import type { CallRecord } from "#/calls/record.ts";
import { loadCall } from "#/calls/store.ts";
import { type KeptTranscript, loadTranscript } from "#/calls/transcript-store.ts";
import { together } from "#/db/transaction.ts";
import type { Tx } from "#/db/transaction.ts";
import { choosePlan } from "#/evaluation/choose-plan.ts";
import { defaultPlan, trainingPlan } from "#/evaluation/default-plans.ts";
import { loadPlan, planOf, publishedPlans } from "#/evaluation/plan-store.ts";
import { loadRun } from "#/evaluation/run-store.ts";
import type { Plan } from "#/evaluation/run.ts";
import { factsOf } from "#/recordings/measure.ts";
import { recordingsOfCall } from "#/recordings/store.ts";

import { type Dossier, type DossierEngines, type Found, nothingFound, wordsIn } from "./dossier.ts";
import { loadMetrics } from "./metric-store.ts";
import { readBack, transcriptMadeBy } from "./output.ts";
import type { PipelineLimits } from "./step.ts";
import { type Claim, claimPipeline, loadSteps, type PipelineRow } from "./store.ts";
import { subjectOf } from "./subject.ts";

export type OpenContext = {
  readonly limits: PipelineLimits;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly enginesOf: (tx: Tx, tenantId: string) => Promise<DossierEngines>;
};

/** The dossier of a call and the claim on its pipeline. */
export type Opened = { readonly dossier: Dossier; readonly claim: Claim };

/**
 * Claims the pipeline of a call, or of the call it turned out to be, and reads what is known. Null when nothing is to be done:
 * the call is not over, never connected, or somebody else works on it.
 */
export async function openDossier(
  tx: Tx,
  given: Claim,
  { limits, now, enginesOf }: OpenContext,
): Promise<Opened | null> {
  const { tenantId } = given;
  const record = await loadCall(tx, tenantId, given.callId);
  if (!record) return null;
  const seen = project(record.state);
  if (!isOver(seen.status) || !isConnected(seen)) return null;
  const claim = { ...given, callId: record.id };
  // Reports and recordings are promised by what we hear, so their time runs from then; the call may have ended long ago.
  const row = await claimPipeline(tx, claim, { startedAt: now, settleBy: now + limits.settleMs });
  if (!row) return null;
  const eventId = record.state.transcript?.value.event_id;
  const editedId = row.edited_transcript_id;
  const [sent, edited, aliases, steps, plan, engines] = await together([
    eventId ? loadTranscript(tx, tenantId, { eventId }) : Promise.resolve(null),
    editedId ? loadTranscript(tx, tenantId, { id: editedId }) : Promise.resolve(null),
    aliasesOf(tx, [tenantId], [record.id]),
    loadSteps(tx, tenantId, record.id),
    planFor(tx, tenantId, row, record),
    enginesOf(tx, tenantId),
  ]);
  // What a person put right takes the place of what the provider sent.
  const told = edited ?? sent;
  const dossier: Dossier = {
    tenantId,
    callId: record.id,
    record,
    seen,
    aliases: aliases.get(record.id) ?? [],
    plan,
    told,
    startedAt: row.started_at.getTime(),
    settleBy: row.settle_by.getTime(),
    settledAt: row.settled_at?.getTime() ?? null,
    runId: row.run_id,
    toldDigest: row.told_digest?.toString("hex") ?? null,
    engines,
    steps: new Map(steps.map((step) => [step.row.step, step.row])),
    found: steps.length === 0 ? nothingFound : await loadFound(tx, claim, row, { steps, told }),
    unsaved: new Set(),
  };
  return { dossier, claim };
}

/** What earlier runs brought. */
async function loadFound(
  tx: Tx,
  { tenantId, callId }: Claim,
  { run_id: runId, transcript_id: transcriptId }: PipelineRow,
  { steps, told }: { steps: Awaited<ReturnType<typeof loadSteps>>; told: KeptTranscript | null },
): Promise<Found> {
  const maskedId = transcriptMadeBy("redact", steps);
  const heardId = transcriptMadeBy("transcribe", steps);
  const [run, sets, recordings, own, heard, masked] = await together([
    runId ? loadRun(tx, tenantId, runId) : Promise.resolve(null),
    loadMetrics(tx, tenantId, callId),
    recordingsOfCall(tx, tenantId, callId),
    transcriptId ? loadTranscript(tx, tenantId, { id: transcriptId }) : Promise.resolve(null),
    heardId ? loadTranscript(tx, tenantId, { id: heardId }) : Promise.resolve(null),
    maskedId ? loadTranscript(tx, tenantId, { id: maskedId }) : Promise.resolve(null),
  ]);
  const isImported = steps.some(({ row }) => row.step === "import_transcript" && row.state === "succeeded");
  const transcript = heard ?? (own?.origin === "stt" ? own : null) ?? (isImported ? told : null);
  const stored = recordings.find(({ kind, state }) => kind === "original" && state === "stored");
  return {
    ...readBack(steps, run),
    recording: stored ? { row: stored, facts: factsOf(stored) } : null,
    audio: sets.find(({ basis }) => basis === "audio") ?? null,
    text: sets.find(({ basis }) => basis === "text") ?? null,
    transcript,
    words: transcript && wordsIn(transcript),
    masked,
  };
}

/** A call keeps the plan its pipeline began with. */
async function planFor(tx: Tx, tenantId: string, row: PipelineRow, record: CallRecord): Promise<Plan> {
  const builtIn = [defaultPlan, trainingPlan].find(({ id }) => id === row.plan_id);
  if (builtIn) return builtIn;
  const pinned = row.plan_id && (await loadPlan(tx, tenantId, row.plan_id, row.plan_version ?? 1));
  if (pinned) return planOf(pinned);
  const subject = subjectOf(record);
  const chosen = choosePlan(await publishedPlans(tx, tenantId), subject);
  return chosen ?? (subject.purpose === "training" ? trainingPlan : defaultPlan);
}
