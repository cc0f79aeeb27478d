import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";

import type { PipelineData } from "./run.ts";
import { idlePipelines, tenantsWithIdlePipelines } from "./sweep-store.ts";

/** How long after its time a pipeline may lie before it is taken for forgotten. */
const idleMs = 15_000;
const rowsMax = 500;

/**
 * Queues pipelines that should have been looked at by now, and that nobody works on: their job was lost with its process, or
 * given up. Safe to run anywhere, any number of times.
 */
export async function wakeIdlePipelines(
  { db, clock }: { readonly db: Db; readonly clock: Clock },
  queue: (tx: Tx, calls: readonly PipelineData[]) => Promise<void>,
): Promise<void> {
  const before = clock.now() - idleMs;
  const tenants = await db.inTransaction([], (tx) => tenantsWithIdlePipelines(tx, before));
  for (const tenantId of tenants) {
    await db.inTransaction([tenantId], async (tx) => {
      const calls = await idlePipelines(tx, tenantId, before, rowsMax);
      await queue(
        tx,
        calls.map((callId) => ({ tenantId, callId })),
      );
    });
  }
}
