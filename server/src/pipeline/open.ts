import { aliasesOf } from "#/calls/alias-store.ts";
import { type KeptMoments, loadMoments } from "#/calls/moment-store.ts";
import { isConnected, isOver, project, type Projection } from "#/calls/project.ts";
import type { CallRecord } from "#/calls/record.ts";
import { readCalls } from "#/calls/store.ts";
import { type KeptTranscript, loadTranscript, transcriptsOfEvents } from "#/calls/transcript-store.ts";
import { mayBeLost, together } from "#/db/transaction.ts";
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
import { type Claim, claimPipelines, loadSteps, type PipelineRow } from "./store.ts";
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
 * Claims the pipelines of calls, or of the calls they turned out to be, and reads what is known. Left out is where nothing is to
 * be done: the call is not over, never connected, or somebody else works on it. A call that is named twice is there once.
 */
export async function openDossiers(tx: Tx, given: readonly Claim[], context: OpenContext): Promise<Opened[]> {
  const { limits, now } = context;
  const tenantIds = [...new Set(given.map(({ tenantId }) => tenantId))];
  // A claim that a crash of the database takes back was nobody's: the job is there, and comes again.
  const [over] = await together([callsThatAreOver(tx, tenantIds, given), mayBeLost(tx)]);
  // Reports and recordings are promised by what we hear, so their time runs from then; the call may have ended long ago.
  const rows = await claimPipelines(
    tx,
    over.map(({ claim }) => claim),
    { startedAt: now, settleBy: now + limits.settleMs },
  );
  const claimed = over.flatMap((one) => {
    const row = rows.get(one.claim.callId);
    return row ? [{ ...one, row }] : [];
  });
  const callIds = claimed.map(({ claim }) => claim.callId);
  const eventIds = claimed.flatMap(({ record }) => record.state.transcript?.value.event_id ?? []);
  const [transcripts, moments, aliases, tenants] = await together([
    transcriptsOfEvents(tx, tenantIds, eventIds),
    loadMoments(
      tx,
      claimed.map(({ record }) => record),
    ),
    aliasesOf(tx, tenantIds, callIds),
    tenantsOf(tx, [...new Set(claimed.map(({ claim }) => claim.tenantId))], context),
  ]);
  return together(
    claimed.map(async ({ claim, record, seen, row }) => {
      const tenant = tenants.get(claim.tenantId);
      if (!tenant) throw new Error("a call of a tenant that nobody asked for");
      const sent = transcripts.get(record.state.transcript?.value.event_id ?? "") ?? null;
      const [known, plan] = await together([loadKnown(tx, claim, row, sent), planFor(tx, row, record, tenant.plans)]);
      const dossier: Dossier = {
        tenantId: claim.tenantId,
        callId: record.id,
        record,
        seen,
        aliases: aliases.get(record.id) ?? [],
        plan,
        startedAt: row.started_at.getTime(),
        settleBy: row.settle_by.getTime(),
        settledAt: row.settled_at?.getTime() ?? null,
        runId: row.run_id,
        toldDigest: row.told_digest?.toString("hex") ?? null,
        engines: tenant.engines,
        moments: momentsOf(record, moments),
        ...known,
        unsaved: new Set(),
      };
      return { dossier, claim };
    }),
  );
}

function momentsOf({ state }: CallRecord, all: ReadonlyMap<string, KeptMoments>): Dossier["moments"] {
  const tellers = state.moments.map(({ value }) => value.event_id);
  return new Map(
    tellers.flatMap((id) => {
      const kept = all.get(id);
      return kept ? [[id, kept] as const] : [];
    }),
  );
}

type Over = { readonly claim: Claim; readonly record: CallRecord; readonly seen: Projection };

async function callsThatAreOver(tx: Tx, tenantIds: readonly string[], given: readonly Claim[]): Promise<Over[]> {
  const records = await readCalls(
    tx,
    tenantIds,
    given.map(({ callId }) => callId),
  );
  const over = new Map<string, Over>();
  for (const claim of given) {
    const named = records.get(claim.callId);
    const record = named?.mergedInto ? records.get(named.mergedInto) : named;
    if (!record || over.has(record.id)) continue;
    const seen = project(record.state);
    if (!isOver(seen.status) || !isConnected(seen)) continue;
    over.set(record.id, { claim: { ...claim, callId: record.id }, record, seen });
  }
  return [...over.values()];
}

type Tenant = { readonly engines: DossierEngines; readonly plans: readonly Plan[] };

async function tenantsOf(
  tx: Tx,
  tenantIds: readonly string[],
  { enginesOf }: OpenContext,
): Promise<Map<string, Tenant>> {
  const tenants = await together(
    tenantIds.map(async (tenantId) => {
      const [engines, plans] = await together([enginesOf(tx, tenantId), publishedPlans(tx, tenantId)]);
      return [tenantId, { engines, plans }] as const;
    }),
  );
  return new Map(tenants);
}

/** How far earlier runs came, and what was said: put right by a person where one did, else as the provider sent it. */
async function loadKnown(
  tx: Tx,
  claim: Claim,
  row: PipelineRow,
  sent: KeptTranscript | null,
): Promise<Pick<Dossier, "told" | "steps" | "found">> {
  if (row.is_new) return { told: sent, steps: new Map(), found: nothingFound };
  const { tenantId, callId } = claim;
  const editedId = row.edited_transcript_id;
  const [edited, steps] = await together([
    editedId ? loadTranscript(tx, tenantId, { id: editedId }) : Promise.resolve(null),
    loadSteps(tx, tenantId, callId),
  ]);
  const told = edited ?? sent;
  return {
    told,
    steps: new Map(steps.map((step) => [step.row.step, step.row])),
    found: steps.length === 0 ? nothingFound : await loadFound(tx, claim, row, { steps, told }),
  };
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
async function planFor(tx: Tx, row: PipelineRow, record: CallRecord, plans: readonly Plan[]): Promise<Plan> {
  const builtIn = [defaultPlan, trainingPlan].find(({ id }) => id === row.plan_id);
  if (builtIn) return builtIn;
  const isPinned = (plan: Plan) => plan.id === row.plan_id && plan.version === (row.plan_version ?? 1);
  const pinned = row.plan_id && plans.find(isPinned);
  if (pinned) return pinned;
  const former = row.plan_id && (await loadPlan(tx, record.tenantId, row.plan_id, row.plan_version ?? 1));
  if (former) return planOf(former);
  const subject = subjectOf(record);
  return choosePlan(plans, subject) ?? (subject.purpose === "training" ? trainingPlan : defaultPlan);
}
