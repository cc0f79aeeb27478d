import type { Db } from "#/db/transaction.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";

import type { EndpointBook } from "./endpoints/book.ts";
import {
  claimDeliveries,
  type ClaimedRow,
  closeDisabled,
  releaseDeliveries,
  tenantsWithDueDeliveries,
} from "./queue/store.ts";
import type { HandOff, Target } from "./target.ts";

export type ClaimContext = {
  readonly db: Db;
  readonly ids: Ids;
  readonly book: EndpointBook;
  /** What this process can still take of endpoints it was busy with lately. */
  readonly knownRoom: () => ReadonlyMap<string, number>;
};

/** Takes due deliveries, no more than can start now or in a moment. Tenants come in turn: `turn` counts the calls. */
export async function claim(context: ClaimContext, rowsMax: number, turn: number): Promise<HandOff[]> {
  if (rowsMax <= 0) return [];
  const due = await context.db.inTransaction([], tenantsWithDueDeliveries);
  if (due.length === 0) return [];
  const tenantIds = inTurn(due.toSorted(), turn * limits.deliveryClaimTenantsMax).slice(
    0,
    limits.deliveryClaimTenantsMax,
  );
  const claimId = context.ids.next();
  return context.db.inTransaction(tenantIds, async (tx) => {
    await closeDisabled(tx, tenantIds);
    const rows = await claimDeliveries(tx, {
      tenantIds,
      room: context.knownRoom(),
      rowsMax: Math.min(rowsMax, limits.deliveryClaimMax),
      claimId,
      leaseMs: limits.deliveryLeaseMs,
    });
    const find = async () => {
      const targets = await context.book.enabled(tx, [...new Set(rows.map((row) => row.tenant_id))]);
      return new Map([...targets.values()].flat().map((target) => [target.id, target]));
    };
    let targets = await find();
    if (rows.some((row) => targets.get(row.endpoint_id)?.version !== row.endpoint_version)) {
      for (const tenantId of tenantIds) context.book.forget(tenantId);
      targets = await find();
    }
    const handOffs = rows.flatMap((row) => handOffOf(row, claimId, targets.get(row.endpoint_id)));
    // An endpoint that was disabled between the two statements: its rows are closed by the next claim.
    if (handOffs.length < rows.length) {
      const lost = rows.filter((row) => !targets.has(row.endpoint_id));
      await releaseDeliveries(
        tx,
        lost.map((row) => ({ tenantId: row.tenant_id, deliveryId: row.id, claimId })),
      );
    }
    return handOffs;
  });
}

function handOffOf(row: ClaimedRow, claimId: string, target: Target | undefined): HandOff[] {
  if (!target) return [];
  return [
    {
      tenantId: row.tenant_id,
      deliveryId: row.id,
      claimId,
      messageId: row.message_id,
      type: row.type,
      receivedAtMs: row.received_ms,
      target,
      form: row.form,
      body: row.body,
      attemptCount: row.attempt_count,
      manualCount: row.manual_count,
      isManual: row.is_manual,
    },
  ];
}

/** The list from a place on, and around to it. */
function inTurn<Item>(items: readonly Item[], start: number): Item[] {
  const from = items.length === 0 ? 0 : start % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}
