import { toPublicId } from "@aftercall/contract/id.ts";

import type { Log } from "#/kernel/log.ts";

import type { DeliveryMetrics } from "./metrics.ts";
import type { Result } from "./result.ts";

/** The canonical line of an attempt and its measurements, once it is stored. `isHeld`: its claim still held. */
export function logAttempt(
  log: Log,
  metrics: DeliveryMetrics,
  { item, attempted, next }: Result,
  isHeld: boolean,
): void {
  const result = isHeld ? resultOf[next.kind] : "lost_claim";
  metrics.deliveriesTotal.inc({ result });
  const latencyMs = attempted.startedAtMs + attempted.durationMs - item.receivedAtMs;
  // What somebody sends again is as late as they are.
  if (result === "delivered" && item.isCounted) metrics.deliverySeconds.observe(latencyMs / 1000);
  // Nine out of ten microseconds of a line go into its ids.
  if (!log.isLevelEnabled("info")) return;
  log.info(
    {
      tenant: toPublicId("tenant", item.tenantId),
      delivery: toPublicId("delivery", item.deliveryId),
      message: toPublicId("message", item.messageId),
      endpoint: toPublicId("endpoint", item.target.id),
      type: item.type,
      attempt: item.attemptCount + 1,
      class: attempted.class,
      status: attempted.status,
      duration_ms: Math.round(attempted.durationMs),
      since_received_ms: Math.round(latencyMs),
      bytes: item.body.length,
      result,
      ...(next.kind === "retry" && { retry_in_ms: next.delayMs }),
      ...(next.kind === "undelivered" && { reason: next.reason }),
      ...(attempted.error !== null && { error: attempted.error }),
    },
    "delivery attempt",
  );
}

const resultOf = { delivered: "delivered", retry: "retrying", resume: "retrying", undelivered: "undelivered" } as const;
