import { aliasesOf } from "#/calls/alias-store.ts";
import { factOf } from "#/calls/project.ts";
import { readCalls } from "#/calls/store.ts";
import type { Db } from "#/db/transaction.ts";

import type { ChangeItem } from "./change-item.ts";
import { endingOf, type Pair, pairOf } from "./frames.ts";
import type { Identified } from "./identify.ts";
import { findCalls } from "./store.ts";

/** The completions among changes, read together: changes are small, results are not. */
export async function pairsOf(db: Db, items: readonly ChangeItem[]): Promise<Map<ChangeItem, Pair>> {
  const ended = items.filter((item) => item.ending);
  if (ended.length === 0) return new Map();
  const tenants = [...new Set(ended.map((item) => item.tenantId))];
  const records = await db.inTransaction(tenants, (tx) =>
    readCalls(
      tx,
      tenants,
      ended.flatMap((item) => item.callId ?? []),
    ),
  );
  return new Map(
    ended.flatMap((item) => {
      const record = records.get(item.callId ?? "");
      const { ending, aliases } = item;
      return record && ending ? [[item, pairOf(record, aliases, ending, item.cursor())] as const] : [];
    }),
  );
}

/** A call that somebody means. `pair`: its completion, where it has come to its end; `cursor` as in {@link pairOf}. */
export type Found = { readonly callId: string; readonly pair: ((cursor: string | null) => Pair) | null };

/** The calls that identifiers mean, one for each. Null when there is none that who asks may see. */
export async function lookUp(
  db: Db,
  { tenantId, businessId }: { readonly tenantId: string; readonly businessId: string | null },
  wanted: readonly Identified[],
): Promise<readonly (Found | null)[]> {
  if (wanted.every(({ callId, aliasKinds }) => callId === null && aliasKinds?.length === 0))
    return wanted.map(() => null);
  return db.inTransaction([tenantId], async (tx) => {
    const ids = await findCalls(tx, tenantId, wanted);
    const records = await readCalls(
      tx,
      [tenantId],
      ids.filter((id) => id !== null),
    );
    const ended = [...records.values()].filter((record) => endingOf(record)).map(({ id }) => id);
    const aliases = await aliasesOf(tx, [tenantId], ended);
    return ids.map((id): Found | null => {
      const record = id === null ? undefined : records.get(id);
      if (!record || (businessId !== null && factOf(record.state, "business_id") !== businessId)) return null;
      const ending = endingOf(record);
      const named = aliases.get(record.id)?.map(({ kind, value }) => [kind, value] as const) ?? [];
      return { callId: record.id, pair: ending && ((cursor) => pairOf(record, named, ending, cursor)) };
    });
  });
}
