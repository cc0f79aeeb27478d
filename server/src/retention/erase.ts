import type { Tx } from "#/db/transaction.ts";
import type { Ids } from "#/kernel/ids.ts";

import { insertErasure } from "./erasure-store.ts";

/** What one part of the server takes out of its tables for a call: how many rows, and objects that must be removed as well. */
export type Forgotten = {
  readonly rows: number;
  readonly blobKeys?: readonly string[];
  /** What may only happen once the erasure has committed. */
  readonly afterCommit?: readonly (() => void)[];
};

/** Empties what one part of the server knows of calls. May be told twice. */
export type Forget = (tx: Tx, tenantId: string, callIds: readonly string[]) => Promise<Forgotten>;

export type Eraser = {
  readonly ids: Ids;
  /** Every part of the server that keeps something of what calls say, by the word its count is shown under. */
  readonly forgets: Readonly<Record<string, Forget>>;
};

export type Erasing = {
  readonly tenantId: string;
  /** The call, and the doubles that were merged into it. */
  readonly callIds: readonly [string, ...string[]];
  readonly cause: "request" | "retention" | "late_data";
  readonly actor: string;
  readonly reason: string | null;
};

/**
 * Takes out of a call everything it says about people, in one transaction; what it was, when and how it ended stays. Large objects
 * lose the key to read them here, and go from their store right after (sweep.ts). Gives the id of the record of it, and what has
 * to be done after the commit.
 */
export async function eraseCall(
  tx: Tx,
  { ids, forgets }: Eraser,
  erasing: Erasing,
): Promise<{ readonly id: string; readonly afterCommit: readonly (() => void)[] }> {
  const { tenantId, callIds, cause, actor, reason } = erasing;
  const counts: Record<string, number> = {};
  const blobKeys: string[] = [];
  const afterCommit: (() => void)[] = [];
  for (const [name, forget] of Object.entries(forgets)) {
    const forgotten = await forget(tx, tenantId, callIds);
    counts[name] = forgotten.rows;
    blobKeys.push(...(forgotten.blobKeys ?? []));
    afterCommit.push(...(forgotten.afterCommit ?? []));
  }
  const id = ids.next();
  await insertErasure(tx, { tenantId, id, callId: callIds[0], cause, actor, reason, counts, blobKeys });
  return { id, afterCommit };
}
