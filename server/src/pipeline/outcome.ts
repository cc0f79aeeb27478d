import type { CostLine, EngineRef, Usage } from "@aftercall/contract/analysis/engine.ts";
import type { FailureReason, SkipReason, StepReason } from "@aftercall/contract/analysis/step.ts";

import type { Found } from "./dossier.ts";

/** What became of one try of a step. */
export type Outcome = Finished | Waiting;

export type Finished = {
  readonly state: "succeeded" | "partial" | "skipped" | "failed";
  readonly reason: StepReason | null;
  /** One sentence a person can act on. */
  readonly detail: string | null;
  readonly found: Partial<Found>;
  readonly engine: EngineRef | null;
  readonly usage: Usage | null;
  readonly cost: readonly CostLine[];
};

/** Something from outside has not come yet. The step is looked at again when it comes, and at the latest then. */
export type Waiting = {
  readonly state: "waiting";
  readonly until: number;
  readonly detail: string;
  /** It was tried and failed, and will be tried again. */
  readonly isRetry: boolean;
};

export function done(found: Partial<Found>, more: Partial<Omit<Finished, "found">> = {}): Finished {
  return { ...nothing, state: "succeeded", found, ...more };
}

export function skipped(reason: SkipReason, detail: string): Finished {
  return { ...nothing, state: "skipped", reason, detail };
}

export function failed(reason: FailureReason, detail: string): Finished {
  return { ...nothing, state: "failed", reason, detail };
}

export function waiting(until: number, detail: string): Waiting {
  return { state: "waiting", until, detail, isRetry: false };
}

const nothing = { reason: null, detail: null, found: {}, engine: null, usage: null, cost: [] } as const;
