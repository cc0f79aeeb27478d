import type { UndeliveredReason } from "@aftercall/contract/delivery.ts";

import type { StoredClass } from "./attempt-class.ts";
import { nextDelayMs } from "./schedule.ts";
import { type HandOff, scheduleFor, type Target } from "./target.ts";

/** What becomes of a delivery after an attempt. `resume`: an attempt made by hand failed, the schedule goes on where it was. */
export type Next =
  | { readonly kind: "delivered" }
  | { readonly kind: "retry"; readonly delayMs: number }
  | { readonly kind: "resume" }
  | { readonly kind: "undelivered"; readonly reason: UndeliveredReason };

/** @param random 0 to 1. */
export function decideNext(
  item: Pick<HandOff, "type" | "attemptCount" | "manualCount" | "isManual"> & {
    readonly target: Pick<Target, "scheduleMs" | "typeSchedulesMs" | "order" | "noRetry">;
  },
  attempt: { readonly class: StoredClass; readonly status: number; readonly retryAfterMs: number | null },
  random: () => number,
): Next {
  if (attempt.class === "ok") return { kind: "delivered" };
  if (attempt.class === "gone") return { kind: "undelivered", reason: "gone" };
  if (attempt.class === "render") return { kind: "undelivered", reason: "render_failed" };
  if (item.isManual) return { kind: "resume" };
  const { order, noRetry } = item.target;
  if (noRetry.some(([from, to]) => attempt.status >= from && attempt.status <= to)) {
    return { kind: "undelivered", reason: "rejected" };
  }
  const scheduleMs = scheduleFor(item.target, item.type);
  const delayMs = nextDelayMs({
    scheduleMs: order.mode === "strict" ? scheduleMs.map((ms) => Math.min(ms, order.strict_delay_max_ms)) : scheduleMs,
    failedCount: item.attemptCount - item.manualCount + 1,
    retryAfterMs: attempt.retryAfterMs,
    random,
  });
  return delayMs === null ? { kind: "undelivered", reason: "exhausted" } : { kind: "retry", delayMs };
}
