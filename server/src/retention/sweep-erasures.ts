import { allTenants } from "#/db/all-tenants.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { limits } from "#/kernel/limits.ts";

import { eraseCall } from "./erase.ts";
import type { Eraser, Erasing } from "./erase.ts";
import { finishErasure, loadPolicy, unfinishedErasures } from "./erasure-store.ts";

export type ErasureSweep = Eraser & {
  readonly db: Db;
  /** Removes an object from its store; no error when it is gone already. */
  readonly removeBlob: (key: string) => Promise<void>;
  /** Calls of a tenant that ended before so many days and may be erased, oldest first. */
  readonly callsToForget: (tx: Tx, tenantId: string, days: number, limit: number) => Promise<string[]>;
  /** Calls of a tenant with a recording that is older than so many days and may go. */
  readonly callsWithOldRecordings: (tx: Tx, tenantId: string, days: number, limit: number) => Promise<string[]>;
  /** Erased calls that something came for afterwards. */
  readonly erasedCallsWithLateData: (tx: Tx, tenantId: string, days: number, limit: number) => Promise<string[]>;
  /** A call and its doubles, the call first; null when there is none. */
  readonly callWithDoubles: (tx: Tx, tenantId: string, callId: string) => Promise<string[] | null>;
};

/**
 * Does what erasing leaves to be done: removes objects from their store, erases what came late, and what has been kept for as
 * long as its tenant wants. Safe to run anywhere, any number of times.
 * @throws AggregateError after every tenant had its turn.
 */
export async function sweepErasures(sweep: ErasureSweep): Promise<number> {
  let done = 0;
  const failures: unknown[] = [];
  for (const tenantId of await sweep.db.inTransaction([], allTenants)) {
    await sweepTenant(sweep, tenantId).then(
      (count) => (done += count),
      (error: unknown) => failures.push(error),
    );
  }
  if (failures.length > 0) throw new AggregateError(failures, "Not everything could be erased");
  return done;
}

async function sweepTenant(sweep: ErasureSweep, tenantId: string): Promise<number> {
  const late = await eraseEach(sweep, tenantId, "late_data", (tx) =>
    sweep.erasedCallsWithLateData(tx, tenantId, limits.erasureLateDays, limits.erasureCallsMax),
  );
  const old = await eraseEach(sweep, tenantId, "retention", async (tx) => {
    const { content_days } = await loadPolicy(tx, tenantId);
    return content_days === null ? [] : sweep.callsToForget(tx, tenantId, content_days, limits.erasureCallsMax);
  });
  const recordings = await eraseEach(withRecordingsOnly(sweep), tenantId, "retention", async (tx) => {
    const { recordings_days: days } = await loadPolicy(tx, tenantId);
    return days === null ? [] : sweep.callsWithOldRecordings(tx, tenantId, days, limits.erasureCallsMax);
  });
  return late + old + recordings + (await removeObjects(sweep, tenantId));
}

/** What was recorded goes, everything else of the call stays. */
function withRecordingsOnly(sweep: ErasureSweep): ErasureSweep {
  const { recordings, carried_recordings: carried } = sweep.forgets;
  return { ...sweep, forgets: { ...(recordings && { recordings }), ...(carried && { carried_recordings: carried }) } };
}

/** Each call in a transaction of its own, so that nothing else has to wait. */
async function eraseEach(
  sweep: ErasureSweep,
  tenantId: string,
  cause: Erasing["cause"],
  find: (tx: Tx) => Promise<readonly string[]>,
): Promise<number> {
  const found = await sweep.db.inTransaction([tenantId], find);
  for (const callId of found) {
    const afterCommit = await sweep.db.inTransaction([tenantId], async (tx) => {
      const [call, ...doubles] = (await sweep.callWithDoubles(tx, tenantId, callId)) ?? [];
      if (call === undefined) return [];
      const erasing = { tenantId, callIds: [call, ...doubles], cause, actor: "system", reason: null } as const;
      return (await eraseCall(tx, sweep, erasing)).afterCommit;
    });
    for (const run of afterCommit) run();
  }
  return found.length;
}

async function removeObjects({ db, removeBlob }: ErasureSweep, tenantId: string): Promise<number> {
  const waiting = await db.inTransaction([tenantId], (tx) => unfinishedErasures(tx, tenantId, limits.erasureCallsMax));
  for (const { id, blob_keys } of waiting) {
    for (const key of blob_keys) await removeBlob(key);
    await db.inTransaction([tenantId], (tx) => finishErasure(tx, tenantId, id));
  }
  return waiting.length;
}
