import { aliasesOf } from "#/calls/alias-store.ts";
import { factOf } from "#/calls/project.ts";
import { loadCall, readCalls } from "#/calls/store.ts";
import type { Db } from "#/db/transaction.ts";

import type { ChangeItem } from "./change-item.ts";
import { endingOf, type Pair, pairOf } from "./frames.ts";
import type { Identified } from "./identify.ts";
import { findCall } from "./store.ts";

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
      return record && ending ? [[item, pairOf(record, aliases, ending)] as const] : [];
    }),
  );
}

/** The call that an identifier means, and how it ended where it has. Null when who asks may see no such call. */
export async function lookUp(
  db: Db,
  { tenantId, businessId }: { readonly tenantId: string; readonly businessId: string | null },
  identifier: string,
  { callId, aliasKinds }: Identified,
): Promise<{ readonly callId: string; readonly pair: Pair | null } | null> {
  if (callId === null && aliasKinds?.length === 0) return null;
  return db.inTransaction([tenantId], async (tx) => {
    const id = await findCall(tx, tenantId, { callId, value: identifier, aliasKinds });
    const record = id === null ? null : await loadCall(tx, tenantId, id);
    if (!record || (businessId !== null && factOf(record.state, "business_id") !== businessId)) return null;
    const ending = endingOf(record);
    if (!ending) return { callId: record.id, pair: null };
    const aliases = (await aliasesOf(tx, [tenantId], [record.id])).get(record.id) ?? [];
    const named = aliases.map(({ kind, value }) => [kind, value] as const);
    return { callId: record.id, pair: pairOf(record, named, ending) };
  });
}
