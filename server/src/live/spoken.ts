import type { Db } from "#/db/transaction.ts";

import { type ChangeItem, turnsOf } from "./change-item.ts";
import { liveLimits } from "./limits.ts";
import { readTurns } from "./store.ts";

/** Changes, each transcript among them told turn by turn before the change that brought it, where somebody wants to hear that. */
export async function withTurns(
  db: Db,
  items: readonly ChangeItem[],
  isWanted: (turn: ChangeItem) => boolean,
): Promise<readonly ChangeItem[]> {
  const told = items.filter((item) => item.transcriptId !== null && isWanted({ ...item, kind: "transcription" }));
  if (told.length === 0) return items;
  const tenants = [...new Set(told.map(({ tenantId }) => tenantId))];
  const ids = told.flatMap(({ transcriptId }) => transcriptId ?? []);
  const turns = await db.inTransaction(tenants, (tx) => readTurns(tx, tenants, ids, liveLimits.turnsMax));
  const wanted = new Set(told);
  return items.flatMap((item) =>
    wanted.has(item) ? [...turnsOf(item, turns.get(item.transcriptId ?? "") ?? []), item] : [item],
  );
}
