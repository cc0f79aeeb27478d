import type { StepName } from "@aftercall/contract/analysis/step.ts";

import { messageOf } from "#/kernel/errors.ts";
import type { Tracing } from "#/kernel/tracing.ts";
import { GiveUp, Retry } from "#/models/failure.ts";

import { digest, type Dossier, isFinal, type StepRow } from "./dossier.ts";
import { failed, type Finished, type Outcome } from "./outcome.ts";
import { passSpan, stepSpan, told } from "./spans.ts";
import type { Step, Tools } from "./step.ts";

export type Driver = {
  readonly recipe: readonly Step[];
  /** Null: nobody asked where the time goes. */
  readonly tracing: Tracing | null;
  /** Null: what asks somebody outside this process is left for another job. */
  readonly save: ((dossier: Dossier) => Promise<Dossier>) | null;
  readonly tools: () => Tools;
  /** A step that failed by a bug of ours. */
  readonly onBug: (step: StepName, error: unknown) => void;
};

/**
 * Runs every step that can run: what only computes at once and in the order of the recipe; what asks somebody outside, side by
 * side, each try written down before it begins and each result before anything else. Returns when nothing more can run now.
 */
export function drive(start: Dossier, driver: Driver): Promise<Dossier> {
  const { tracing } = driver;
  return tracing ? tracing.span(passSpan(start), () => runSteps(start, driver)) : runSteps(start, driver);
}

async function runSteps(start: Dossier, driver: Driver): Promise<Dossier> {
  const { recipe, save } = driver;
  const asking = new Map<StepName, Promise<{ step: Step; outcome: Outcome }>>();
  let dossier = start;
  for (;;) {
    for (const step of recipe) {
      const tools = driver.tools();
      if (asking.has(step.name) || !isReady(step, dossier, tools.now)) continue;
      const begun = begin(step, dossier, tools.now);
      if (!step.asks(dossier, tools)) {
        dossier = finish(step, begun, await attempt(step, begun, tools, driver), tools.now);
      } else if (save && !tools.signal.aborted) {
        dossier = await save(begun);
        const asked = dossier;
        asking.set(
          step.name,
          attempt(step, asked, tools, driver).then((outcome) => ({ step, outcome })),
        );
      }
    }
    if (asking.size === 0 || !save) return dossier;
    const { step, outcome } = await Promise.race(asking.values());
    asking.delete(step.name);
    dossier = await save(finish(step, dossier, outcome, driver.tools().now));
  }
}

/** Whether a step that asks somebody could run now: somebody else has to do it where this job does not ask. */
export function wantsToAsk(dossier: Dossier, recipe: readonly Step[], tools: Tools): boolean {
  return recipe.some((step) => step.asks(dossier, tools) && isReady(step, dossier, tools.now));
}

function isReady(step: Step, dossier: Dossier, now: number): boolean {
  if (!step.needs.every((name) => isFinal(dossier.steps.get(name)) || isSetAside(name, dossier))) return false;
  const row = dossier.steps.get(step.name);
  if (!row?.inputHash || row.inputHash !== inputOf(step, dossier)) return true;
  if (isFinal(row)) return false;
  return row.nextAttemptAt === null || row.nextAttemptAt <= now;
}

/**
 * A recording that does not come at once holds up nothing but its own transcription: where the provider told what was said, or
 * nobody could transcribe it, its numbers are added when it comes.
 */
export function isSetAside(name: StepName, { steps, found, engines, plan }: Dossier): boolean {
  if (name !== "fetch_recording" && name !== "measure_audio") return false;
  if (!isFinal(steps.get("import_transcript"))) return false;
  const isNeeded =
    engines.speech !== null && (found.transcript === null || plan.definition.transcription.prefer === "stt");
  const fetch = steps.get("fetch_recording");
  return !isNeeded && fetch !== undefined && !isFinal(fetch) && fetch.nextAttemptAt !== null;
}

function inputOf(step: Step, dossier: Dossier): string {
  return digest([step.input(dossier), dossier.steps.get(step.name)?.retried ?? 0]);
}

function begin(step: Step, dossier: Dossier, now: number): Dossier {
  const row = dossier.steps.get(step.name) ?? newRow(step, now);
  const inputHash = inputOf(step, dossier);
  // Something else to work on: its tries are counted anew.
  const attempt = row.inputHash === inputHash ? row.attempt + 1 : 1;
  return withRow(dossier, {
    ...row,
    state: "running",
    reason: null,
    detail: null,
    attempt,
    attemptsMax: step.tries.max,
    nextAttemptAt: null,
    inputHash,
    startedAt: now,
    finishedAt: null,
  });
}

type Watch = Pick<Driver, "tracing" | "onBug">;

function attempt(step: Step, dossier: Dossier, tools: Tools, { tracing, onBug }: Watch): Promise<Outcome> {
  if (!tracing) return attemptStep(step, dossier, tools, onBug);
  return tracing.span(stepSpan(step, dossier), async (span) => {
    const outcome = await attemptStep(step, dossier, tools, onBug);
    span.set(told(outcome));
    if (outcome.state === "failed") span.fail(outcome.reason ?? "failed");
    return outcome;
  });
}

async function attemptStep(step: Step, dossier: Dossier, tools: Tools, onBug: Driver["onBug"]): Promise<Outcome> {
  const row = dossier.steps.get(step.name);
  const { attempt: count = 1 } = row ?? {};
  if (count > step.tries.max) {
    return orInstead(failed("attempts_exhausted", "The process ended in the middle of every try."));
  }
  try {
    const outcome = await step.run(dossier, tools);
    return outcome.state === "failed" && step.instead ? await orInstead(outcome) : outcome;
  } catch (error) {
    if (error instanceof GiveUp) return orInstead(failed(error.reason, error.message));
    if (error instanceof Retry) {
      if (count < step.tries.max) {
        const waitMs = Math.max(spread(step.tries.waitMs(count + 1), dossier, count), error.afterMs ?? 0);
        return { state: "waiting", until: tools.now + waitMs, detail: error.message, isRetry: true };
      }
      return orInstead(failed(error.reason, `Given up after ${count} tries: ${error.message}`));
    }
    onBug(step.name, error);
    return orInstead(failed("internal_error", `Our own failure: ${messageOf(error)}`));
  }

  async function orInstead(failure: Finished): Promise<Finished> {
    if (!step.instead) return failure;
    try {
      return await step.instead(dossier, tools, failure);
    } catch (error) {
      onBug(step.name, error);
      return failure;
    }
  }
}

/** 20 % more or less, the same for all steps of a call, so that what asks together is asked again together. */
function spread(ms: number, { callId }: Dossier, count: number): number {
  const share = Number.parseInt(digest([callId, count]).slice(0, 8), 16) / 0xffff_ffff;
  return Math.round(ms * (0.8 + 0.4 * share));
}

function finish(step: Step, dossier: Dossier, outcome: Outcome, now: number): Dossier {
  const row = dossier.steps.get(step.name) ?? newRow(step, now);
  if (outcome.state === "waiting") {
    const { until, detail, isRetry } = outcome;
    const counted = isRetry ? { state: "queued" as const } : { state: "blocked" as const, attempt: row.attempt - 1 };
    return withRow(dossier, { ...row, ...counted, detail, nextAttemptAt: until });
  }
  const { state, reason, detail, engine, usage, cost, found } = outcome;
  const finished = { ...row, state, reason, detail, engine, usage, cost, nextAttemptAt: null, finishedAt: now };
  return { ...withRow(dossier, finished), found: { ...dossier.found, ...found } };
}

function newRow(step: Step, now: number): StepRow {
  return {
    step: step.name,
    state: "blocked",
    reason: null,
    detail: null,
    attempt: 0,
    attemptsMax: step.tries.max,
    nextAttemptAt: null,
    retried: 0,
    inputHash: null,
    engine: null,
    usage: null,
    cost: [],
    queuedAt: now,
    startedAt: null,
    finishedAt: null,
  };
}

export function withRow(dossier: Dossier, row: StepRow): Dossier {
  return {
    ...dossier,
    steps: new Map(dossier.steps).set(row.step, row),
    unsaved: new Set(dossier.unsaved).add(row.step),
  };
}
