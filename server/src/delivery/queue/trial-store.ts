import type { Tx } from "#/db/transaction.ts";

import type { Held } from "./store.ts";

/** Marks a delivery as being tried alone. False: the claim is lost, somebody else has it. */
export async function beginTrial(tx: Tx, held: Held): Promise<boolean> {
  const count = await tx.run(
    "update deliveries set trial_count = trial_count + 1 where tenant_id = $1 and id = $2 and claim_id = $3",
    [held.tenantId, held.deliveryId, held.claimId],
    "delivery.begin-trial",
  );
  return count > 0;
}

/** The process outlived it. */
export async function endTrial(tx: Tx, held: Held): Promise<void> {
  await tx.run(
    "update deliveries set trial_count = 0 where tenant_id = $1 and id = $2 and claim_id = $3",
    [held.tenantId, held.deliveryId, held.claimId],
    "delivery.end-trial",
  );
}
