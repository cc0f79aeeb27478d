import type { Tx } from "#/db/transaction.ts";
import { notify } from "#/db/wake.ts";

import { closeDisabled } from "../queue/store.ts";
import { deleteEndpointsOf } from "./close-store.ts";

/** Takes every endpoint of a tenant out of use for good: what they had not got yet is listed as undelivered. */
export async function closeEndpointsOf(tx: Tx, tenantId: string): Promise<void> {
  await deleteEndpointsOf(tx, tenantId);
  await closeDisabled(tx, [tenantId]);
  await notify(tx, "endpoints", tenantId);
}
