import { toPublicId } from "@aftercall/contract/id.ts";

import type { Tx } from "#/db/transaction.ts";

import { shownClass, shownError } from "../attempt-class.ts";
import { showDelivery } from "../ledger/show.ts";
import { findDelivery } from "../ledger/store.ts";
import { failingFrom, type Result } from "../result.ts";
import type { Operation } from "./announce.ts";
import type { Transition } from "./next-health.ts";
import type { EndpointRef } from "./store.ts";

/** What is told about an endpoint. That it was disabled is told by whoever disables it, if it was not disabled already. */
export function endpointOperation({ tenantId, endpointId }: EndpointRef, transition: Transition): Operation | null {
  const operation = (type: string, data: Operation["data"], subject = endpointId) => ({
    tenantId,
    endpointId,
    type,
    subject,
    data,
  });
  switch (transition.kind) {
    case "breaker_opened": {
      const { openUntilMs, attempts, failures } = transition;
      return operation("endpoint.breaker_opened", {
        open_until: iso(openUntilMs),
        attempts,
        failed_attempts: failures,
      });
    }
    case "breaker_closed":
      return operation("endpoint.breaker_closed", { opened_at: iso(transition.openedAtMs) });
    case "failing": {
      const { percent, failedCount, firstFailedAtMs } = transition;
      const data = {
        failing_since: iso(firstFailedAtMs),
        failed_attempts: failedCount,
        threshold_percent: percent,
      };
      return operation("endpoint.failing", data, `${endpointId}:${percent}`);
    }
    case "recovered": {
      const { failingSinceMs } = transition;
      return operation("endpoint.recovered", { failing_since: failingSinceMs === null ? null : iso(failingSinceMs) });
    }
    case "disabled":
      return null;
  }
}

/**
 * What is told about deliveries: that one keeps failing, was given up, or arrived after either. Nothing about messages that are
 * themselves about the delivery, so that they cause no more of their kind.
 */
export async function deliveryOperations(tx: Tx, results: readonly Result[]): Promise<Operation[]> {
  const operations: Operation[] = [];
  for (const { item, attempted, next } of results) {
    if (item.target.kind === "operational") continue;
    const types = typesOf({ item, next });
    const row = types.length === 0 ? null : await findDelivery(tx, item.tenantId, item.deliveryId);
    if (!row) continue;
    const last = {
      at: iso(attempted.startedAtMs),
      status: attempted.status,
      class: shownClass(attempted.class),
      error: shownError(attempted.class),
    };
    for (const type of types) {
      operations.push({
        tenantId: item.tenantId,
        endpointId: item.target.id,
        type,
        subject: toPublicId("delivery", item.deliveryId),
        data: { delivery: showDelivery(row), last_attempt: last },
      });
    }
  }
  return operations;
}

function typesOf({ item, next }: Pick<Result, "item" | "next">): string[] {
  const failedBefore = item.attemptCount - item.manualCount;
  if (next.kind === "delivered") {
    return failedBefore >= failingFrom || item.wasExhausted ? ["delivery.recovered"] : [];
  }
  if (item.isManual) return [];
  return [
    ...(failedBefore + 1 === failingFrom ? ["delivery.failing"] : []),
    ...(next.kind === "undelivered" && next.reason === "exhausted" ? ["delivery.exhausted"] : []),
  ];
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
