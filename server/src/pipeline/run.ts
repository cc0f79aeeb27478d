import type { AfterCommit, React } from "#/calls/change.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { Log } from "#/kernel/log.ts";

import { ClaimLost, conclude, saveProgress } from "./commit.ts";
import type { Dossier } from "./dossier.ts";
import { drive, wantsToAsk } from "./drive.ts";
import { type OpenContext, openDossier } from "./open.ts";
import type { PipelineLimits, Step, Tools } from "./step.ts";
import { type Claim, renewClaim } from "./store.ts";

/** Which call a job is about. */
export type PipelineData = { readonly tenantId: string; readonly callId: string };

export type PipelineDeps = {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Pick<Log, "error">;
  readonly react: React;
  readonly recipe: readonly Step[];
  readonly limits: PipelineLimits;
  readonly enginesOf: OpenContext["enginesOf"];
  /** What the steps of this call work with. */
  readonly toolsFor: (dossier: Dossier, signal: AbortSignal) => Omit<Tools, "now" | "signal" | "newId" | "limits">;
  /** Queues the next look at a call, for when it is time; epoch milliseconds. */
  readonly lookAgain: (tx: Tx, data: PipelineData, at: number) => Promise<void>;
  /** Queues what asks somebody outside this process. */
  readonly askLater: (tx: Tx, data: PipelineData) => Promise<void>;
};

export type Run = {
  readonly jobId: string;
  readonly signal: AbortSignal;
  /** Whether this job may wait for recordings and engines, or leaves that to a job that may. */
  readonly mayAsk: boolean;
};

/** How long a claim holds without a word; a killed process's job takes its claim over sooner than that. */
const leaseMs = 30_000;
const renewMs = 10_000;
/** News may come while a call is worked on; after this many rounds the next job goes on. */
const roundsMax = 5;

/**
 * Brings a call as far as it can be brought now: runs every step that can run, writes down each result, and settles the call
 * when nothing more is expected. May be run any number of times and by several at once: one of them works.
 */
export async function runPipeline(deps: PipelineDeps, data: PipelineData, run: Run): Promise<void> {
  const { db, clock, ids } = deps;
  const given: Claim = { ...data, claimId: ids.next(), jobId: run.jobId, leaseMs };
  for (let round = 0; round < roundsMax; round++) {
    const opened = await db.inTransaction([data.tenantId], (tx) =>
      openDossier(tx, given, { limits: deps.limits, now: clock.now(), enginesOf: deps.enginesOf }),
    );
    if (!opened) return;
    const { next, afterCommit } = await work(deps, opened.dossier, opened.claim, run);
    for (const after of afterCommit) after();
    if (next === "done") return;
  }
}

async function work(
  deps: PipelineDeps,
  opened: Dossier,
  claim: Claim,
  { signal, mayAsk }: Run,
): Promise<{ next: "done" | "again"; afterCommit: readonly AfterCommit[] }> {
  const { db, clock, log, recipe, limits } = deps;
  const done = new AbortController();
  const lost = new AbortController();
  const stop = AbortSignal.any([signal, lost.signal]);
  const more = deps.toolsFor(opened, stop);
  const context = { newId: () => deps.ids.next(), react: deps.react, recipe, country: more.country };
  const tools = (): Tools => ({ ...more, now: clock.now(), signal: stop, newId: context.newId, limits });
  const renewing = mayAsk ? keepClaim(deps, claim, lost, done.signal) : Promise.resolve();
  try {
    const dossier = await drive(opened, {
      recipe,
      tools,
      save: mayAsk ? save : null,
      onBug: (step, error) => log.error({ step, call: claim.callId, err: error }, "a step of the pipeline failed"),
    });
    // Handed back with the job: whoever takes it up goes on from what is written down.
    if (signal.aborted) throw new Error("The process is stopping");
    return await db.inTransaction([claim.tenantId], async (tx) => {
      const data = { tenantId: claim.tenantId, callId: claim.callId };
      const concluded = await conclude(tx, dossier, claim, context, clock.now());
      if (concluded.next === "done") {
        if (!mayAsk && wantsToAsk(dossier, recipe, tools())) await deps.askLater(tx, data);
        if (concluded.wakeAt !== null) await deps.lookAgain(tx, data, concluded.wakeAt);
      }
      return concluded;
    });
  } catch (error) {
    if (error instanceof ClaimLost) return { next: "done", afterCommit: [] };
    throw error;
  } finally {
    done.abort();
    await renewing;
  }

  async function save(dossier: Dossier): Promise<Dossier> {
    const saved = await db.inTransaction([claim.tenantId], (tx) => saveProgress(tx, dossier, claim, context));
    for (const after of saved.afterCommit) after();
    return saved.dossier;
  }
}

/** Says again and again that somebody is at work; stops the work when the pipeline is somebody else's. */
async function keepClaim(
  { db, clock }: Pick<PipelineDeps, "db" | "clock">,
  claim: Claim,
  lost: AbortController,
  done: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(renewMs, done);
    if (done.aborted) return;
    const isOurs = await db
      .inTransaction([claim.tenantId], (tx) => renewClaim(tx, claim))
      // A database that is away for a moment says nothing about the claim; the next commit does.
      .catch(() => true);
    if (!isOurs) return lost.abort();
  }
}
