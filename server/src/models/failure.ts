import type { CostLine, Usage } from "@aftercall/contract/analysis/engine.ts";
import type { FailureReason } from "@aftercall/contract/analysis/step.ts";

/** What an attempt consumed although it gave nothing: failed attempts cost too. */
export type Spent = { readonly usage: Usage; readonly cost: readonly CostLine[] };

type Detail = { readonly detail: string; readonly spent?: Spent; readonly cause?: unknown };

/** The engine could not answer now: too many requests, an error of its own, no connection, no answer in time. */
export class Retry extends Error {
  /** What the engine asked for by Retry-After, in milliseconds; null: the caller's own schedule. */
  readonly afterMs: number | null;
  readonly reason: FailureReason;
  readonly spent: Spent | null;
  constructor(afterMs: number | null, reason: FailureReason, { detail, spent, cause }: Detail) {
    super(detail, { cause });
    this.name = "Retry";
    this.afterMs = afterMs;
    this.reason = reason;
    this.spent = spent ?? null;
  }
}

/** The engine will never answer this: what was asked is refused, or the answer cannot be used. */
export class GiveUp extends Error {
  readonly reason: FailureReason;
  readonly spent: Spent | null;
  constructor(reason: FailureReason, { detail, spent, cause }: Detail) {
    super(detail, { cause });
    this.name = "GiveUp";
    this.reason = reason;
    this.spent = spent ?? null;
  }
}

/** The same failure, with everything that was consumed until then. */
export function withSpent(error: unknown, spent: Spent): unknown {
  const { message: detail, cause } = error instanceof Error ? error : new Error(String(error));
  if (error instanceof Retry) return new Retry(error.afterMs, error.reason, { detail, spent, cause });
  if (error instanceof GiveUp) return new GiveUp(error.reason, { detail, spent, cause });
  return error;
}
