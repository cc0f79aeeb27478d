import type { DeliveryItem, EndpointItem } from "@aftercall/contract/live.ts";

import type { Db, Tx } from "#/db/transaction.ts";

import { beginFollowing, keepFollowing } from "./follow-store.ts";
import { liveLimits } from "./limits.ts";
import { insertChanges } from "./store.ts";

/**
 * Has everything told that becomes of a tenant's deliveries, from now until nobody who listened could come back any more. To be
 * asked before somebody is let in who wants it, and every hour while they are there. Gives from when on nothing is missing, epoch
 * milliseconds.
 */
export async function followDeliveries(db: Db, tenantId: string): Promise<number> {
  const since = await db.inTransaction([tenantId], (tx) => {
    return keepFollowing(tx, tenantId, liveLimits.followedMs, liveLimits.followedMs - liveLimits.followAgainMs);
  });
  return since ?? db.inTransaction([tenantId], (tx) => beginFollowing(tx, tenantId));
}

/** Something to tell of a delivery or an endpoint. `callId`: the call that a message is about, which may be erased. */
export type DeliveryNews = {
  readonly tenantId: string;
  readonly callId: string | null;
  readonly item: DeliveryItem | EndpointItem;
};

/** Writes what became of deliveries for those who follow them, in the transaction that stores it. */
export async function announceDeliveries(tx: Tx, news: readonly DeliveryNews[]): Promise<void> {
  await insertChanges(
    tx,
    news.map(({ tenantId, callId, item }) => ({
      tenant_id: tenantId,
      kind: "delivery" in item ? "delivery" : "endpoint",
      call_id: callId,
      campaign_id: null,
      payload: item,
    })),
  );
}
