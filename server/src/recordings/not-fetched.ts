import type { FailureReason } from "@aftercall/contract/analysis/step.ts";

/** A recording could not be had, and whether trying again may help. The message is one sentence a person can act on. */
export class NotFetched extends Error {
  readonly reason: FailureReason;
  readonly isFinal: boolean;
  /** When the provider asks to be asked again. */
  readonly waitMs: number | null;
  constructor(
    reason: FailureReason,
    message: string,
    { isFinal = false, waitMs = null, cause }: { isFinal?: boolean; waitMs?: number | null; cause?: unknown },
  ) {
    super(message, { cause });
    this.name = "NotFetched";
    this.reason = reason;
    this.isFinal = isFinal;
    this.waitMs = waitMs;
  }
}
