import { setImmediate } from "node:timers/promises";

import type { React } from "#/calls/change.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { Log } from "#/kernel/log.ts";
import type { Tracing } from "#/kernel/tracing.ts";

import { ClaimLost, type CommitContext, conclude, saveProgress } from "./commit.ts";
import type { Dossier } from "./dossier.ts";
import type { Work } from "./draft.ts";
import { drive, type Driver, wantsToAsk } from "./drive.ts";
import { type OpenContext, type Opened, openDossiers } from "./open.ts";
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
  readonly tracing?: Tracing | null;
  readonly limits: PipelineLimits;
  readonly enginesOf: OpenContext["enginesOf"];
  /** ISO 3166 code by which phone numbers without more are read. */
  readonly country: string | null;
  /** What the steps of this call work with. */
  readonly toolsFor: (dossier: Dossier, signal: AbortSignal) => Omit<Tools, "now" | "signal" | "newId" | "limits">;
  /** Queues the next looks at calls, for when it is time; epoch milliseconds. */
  readonly lookAgain: (tx: Tx, looks: readonly (PipelineData & { readonly at: number })[]) => Promise<void>;
  /** Queues what asks somebody outside this process. */
  readonly askLater: (tx: Tx, calls: readonly PipelineData[]) => Promise<void>;
};

export type PipelineJob = { readonly data: PipelineData; readonly jobId: string; readonly signal: AbortSignal };

/** How long a claim holds without a word; a killed process's job takes its claim over sooner than that. */
const leaseMs = 30_000;
const renewMs = 10_000;
/** News may come while a call is worked on; after this many rounds the next job goes on. */
const roundsMax = 5;
/** What was computed in this time is written down before more is: a long call holds up no short ones. */
const shareMs = 100;

/**
 * Brings calls as far as they can be brought without asking anybody outside this process: runs every step that can run, and
 * settles those calls of which nothing more is expected. None of it costs money, so what a crash interrupts is simply done again,
 * and many calls share their transactions. May be run any number of times and by several at once: one of them works on a call.
 * Gives what each job failed with, or null; a call that cannot be written holds up no other.
 */
export async function runPipelines(deps: PipelineDeps, jobs: readonly PipelineJob[]): Promise<unknown[]> {
  try {
    await runTogether(deps, jobs);
    return jobs.map(() => null);
  } catch (error) {
    if (jobs.length === 1) return [error instanceof ClaimLost ? null : error];
    const failures: unknown[] = [];
    // oxlint-disable-next-line no-await-in-loop -- Together they failed, so each gets a transaction of its own.
    for (const job of jobs) failures.push(...(job.signal.aborted ? [error] : await runPipelines(deps, [job])));
    return failures;
  }
}

/** The same for one call, and waits for recordings and engines: each try and each result is written down before anything else. */
export async function runAsking(deps: PipelineDeps, job: PipelineJob): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    // oxlint-disable-next-line no-await-in-loop -- One round after the other.
    const [opened] = await openAll(deps, [job]);
    // oxlint-disable-next-line no-await-in-loop -- The same.
    if (!opened || (await ask(deps, opened, job.signal)).length === 0) return;
  }
}

async function runTogether(deps: PipelineDeps, jobs: readonly PipelineJob[]): Promise<void> {
  let left = jobs;
  for (let round = 0; round < roundsMax && left.length > 0; round++) {
    const signals = new Map(left.map(({ jobId, signal }) => [jobId, signal]));
    const again = new Set<string>();
    // oxlint-disable-next-line no-await-in-loop -- One round after the other.
    const opened = await openAll(deps, left);
    // oxlint-disable-next-line no-await-in-loop -- The same.
    for await (const works of inShares(deps, opened, signals)) {
      for (const jobId of await finish(deps, works, { mayAsk: false })) again.add(jobId);
    }
    left = left.filter(({ jobId }) => again.has(jobId));
  }
}

/** Runs the steps of one call after the other, and gives those that were worked on in one share of time. */
async function* inShares(
  deps: PipelineDeps,
  opened: readonly Opened[],
  signals: ReadonlyMap<string, AbortSignal>,
): AsyncGenerator<Running[]> {
  const { clock } = deps;
  let works: Running[] = [];
  let since = clock.monotonic();
  for (const { dossier, claim } of opened) {
    const signal = signals.get(claim.jobId);
    if (!signal) throw new Error("a claim of no job");
    const tools = toolsOf(deps, dossier, signal);
    works.push({ claim, tools, dossier: await drive(dossier, { ...driverOf(deps, claim, tools), save: null }) });
    // Handed back with the job: whoever takes it up begins anew.
    if (signal.aborted) throw new Error("The process is stopping");
    if (clock.monotonic() - since < shareMs) {
      // Requests that came meanwhile are answered in between.
      await setImmediate();
    } else {
      yield works;
      works = [];
      since = clock.monotonic();
    }
  }
  if (works.length > 0) yield works;
}

async function ask(deps: PipelineDeps, { dossier: opened, claim }: Opened, signal: AbortSignal): Promise<string[]> {
  const { db } = deps;
  const done = new AbortController();
  const lost = new AbortController();
  const tools = toolsOf(deps, opened, AbortSignal.any([signal, lost.signal]));
  const renewing = keepClaim(deps, claim, lost, done.signal);
  try {
    const dossier = await drive(opened, { ...driverOf(deps, claim, tools), save });
    // Handed back with the job: whoever takes it up goes on from what is written down.
    if (signal.aborted) throw new Error("The process is stopping");
    return await finish(deps, [{ dossier, claim, tools }], { mayAsk: true });
  } catch (error) {
    if (error instanceof ClaimLost) return [];
    throw error;
  } finally {
    done.abort();
    await renewing;
  }

  async function save(dossier: Dossier): Promise<Dossier> {
    const saved = await db.inTransaction([claim.tenantId], (tx) => saveProgress(tx, dossier, claim, contextOf(deps)));
    for (const after of saved.afterCommit) after();
    return saved.dossier;
  }
}

type Running = Work & { readonly tools: () => Tools };

async function openAll(deps: PipelineDeps, jobs: readonly PipelineJob[]): Promise<Opened[]> {
  const { db, clock, ids, limits, enginesOf } = deps;
  const claims = jobs.map(({ data, jobId }) => ({ ...data, claimId: ids.next(), jobId, leaseMs }));
  return db.inTransaction(tenantsOf(claims), (tx) => openDossiers(tx, claims, { limits, now: clock.now(), enginesOf }));
}

/** Writes down what was done and queues what is left to do. Gives the jobs whose calls have something new to be done at once. */
async function finish(
  deps: PipelineDeps,
  works: readonly Running[],
  { mayAsk }: { readonly mayAsk: boolean },
): Promise<string[]> {
  const { db, clock, recipe, lookAgain, askLater } = deps;
  const tenants = tenantsOf(works.map(({ claim }) => claim));
  const { again, afterCommit } = await db.inTransaction(tenants, async (tx) => {
    const { conclusions, afterCommit } = await conclude(tx, works, contextOf(deps), clock.now());
    const done = works.filter(({ claim }) => conclusions.get(claim.callId)?.next !== "again");
    const asking = mayAsk ? [] : done.filter(({ dossier, tools }) => wantsToAsk(dossier, recipe, tools()));
    if (asking.length > 0) await askLater(tx, asking.map(dataOf));
    const looks = done.flatMap((work) => {
      const at = conclusions.get(work.claim.callId)?.wakeAt ?? null;
      return at === null ? [] : [{ ...dataOf(work), at }];
    });
    if (looks.length > 0) await lookAgain(tx, looks);
    return { again: works.filter((work) => !done.includes(work)), afterCommit };
  });
  for (const after of afterCommit) after();
  return again.map(({ claim }) => claim.jobId);
}

function dataOf({ claim: { tenantId, callId } }: Work): PipelineData {
  return { tenantId, callId };
}

function tenantsOf(claims: readonly { readonly tenantId: string }[]): string[] {
  return [...new Set(claims.map(({ tenantId }) => tenantId))];
}

function contextOf({ ids, react, recipe, country }: PipelineDeps): CommitContext {
  return { newId: () => ids.next(), react, recipe, country };
}

function toolsOf({ clock, ids, limits, toolsFor }: PipelineDeps, dossier: Dossier, signal: AbortSignal): () => Tools {
  const more = toolsFor(dossier, signal);
  return () => ({ ...more, now: clock.now(), signal, newId: () => ids.next(), limits });
}

function driverOf(
  { recipe, tracing = null, log }: PipelineDeps,
  { callId }: Claim,
  tools: () => Tools,
): Omit<Driver, "save"> {
  return {
    recipe,
    tracing,
    tools,
    onBug: (step, error) => log.error({ step, call: callId, err: error }, "a step of the pipeline failed"),
  };
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
