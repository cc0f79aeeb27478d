import { toPublicId } from "@aftercall/contract/id.ts";
import type { DeliveryItem, EndpointItem } from "@aftercall/contract/live.ts";

import type { Tx } from "#/db/transaction.ts";

import { shownClass, shownError } from "./attempt-class.ts";
import type { Operation } from "./health/announce.ts";
import { showDelivery } from "./ledger/show.ts";
import { findDeliveries } from "./ledger/store.ts";
import type { Result } from "./result.ts";

/** Those who follow deliveries live. */
export type Followers = {
  /** Writes what they are told into the transaction that it tells of. */
  tell(tx: Tx, news: readonly News[]): Promise<void>;
  /** Wakes whoever tells them, after the commit. */
  ring(): void;
};

export type News = {
  readonly tenantId: string;
  readonly callId: string | null;
  readonly item: DeliveryItem | EndpointItem;
};

/**
 * Tells what attempts came to, with each delivery as this transaction leaves it, and what they showed of endpoints: of tenants that
 * somebody follows, so that nobody else's results cost anything more. Gives whether there was something to tell.
 */
export async function tellFollowers(
  tx: Tx,
  { tell }: Followers,
  followed: ReadonlySet<string>,
  happened: { readonly results: readonly Result[]; readonly operations: readonly Operation[]; readonly atMs: number },
): Promise<boolean> {
  const results = happened.results.filter(({ item }) => followed.has(item.tenantId));
  if (results.length === 0) return false;
  const rows = await findDeliveries(
    tx,
    [...followed],
    results.map(({ item }) => item.deliveryId),
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  const deliveries = results.flatMap(({ item, attempted }): News[] => {
    const row = byId.get(item.deliveryId);
    if (!row) return [];
    const delivery = showDelivery(row);
    const attempt = {
      number: item.attemptCount + 1,
      trigger: item.isManual ? "manual" : item.isCounted ? "schedule" : "resend",
      started_at: iso(attempted.startedAtMs),
      duration_ms: Math.round(attempted.durationMs),
      status: attempted.status,
      class: shownClass(attempted.class),
      error: shownError(attempted.class),
    } as const;
    const at = iso(attempted.startedAtMs + attempted.durationMs);
    const types: DeliveryItem["types"] = [typeByState[delivery.state]];
    return [{ tenantId: item.tenantId, callId: row.call_id, item: { types, at, delivery, attempt } }];
  });
  const endpoints = happened.operations.flatMap(({ tenantId, endpointId, type, data }): News[] => {
    if (endpointId === null || !isOfEndpoint(type) || !followed.has(tenantId)) return [];
    const about = { types: [type], at: iso(happened.atMs), endpoint_id: toPublicId("endpoint", endpointId) };
    return [{ tenantId, callId: null, item: { ...about, details: data } }];
  });
  await tell(tx, [...deliveries, ...endpoints]);
  return true;
}

const typeByState = {
  delivered: "delivery.succeeded",
  due: "delivery.failed",
  claimed: "delivery.failed",
  undelivered: "delivery.undelivered",
} as const;

function isOfEndpoint(type: string): type is EndpointItem["types"][number] {
  return type.startsWith("endpoint.");
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
