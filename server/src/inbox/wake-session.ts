import type { AfterCommit } from "#/calls/change.ts";
import type { Tx } from "#/db/transaction.ts";

import { claimTraining } from "./entries.ts";
import type { Entry } from "./entries.ts";
import { entryOf } from "./match-calls.ts";
import { applyEntries } from "./store-batch.ts";
import type { BatchContext } from "./store-batch.ts";
import { takeUnmatched } from "./store.ts";

/** Applies the call-complete events that named a training session before it was known. */
export async function wakeSession(
  tx: Tx,
  context: BatchContext,
  tenantId: string,
  sessionId: string,
): Promise<AfterCommit[]> {
  const entries: Entry[] = [];
  for (const stored of await takeUnmatched(tx, [{ tenantId, alias: { kind: "training_session", value: sessionId } }])) {
    const again = await context.reread(stored);
    if (again) entries.push({ ...entryOf(stored, again), mayCreateCalls: true });
  }
  if (entries.length === 0) return [];
  await claimTraining(tx, entries, context.hooks);
  const { afterCommit } = await applyEntries(tx, context, entries);
  return afterCommit;
}
