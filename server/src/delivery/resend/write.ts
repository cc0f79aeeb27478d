import type { Tx } from "#/db/transaction.ts";

import { writeUnwritten } from "../unwritten.ts";
import { makeMissingForms } from "./forms.ts";
import { holdMessages, insertSeries, type NewSeries } from "./write-store.ts";

/** Writes new deliveries with the bytes that their endpoints want. Gives the ids of those that were written. */
export async function writeSeries(tx: Tx, series: NewSeries): Promise<string[]> {
  const { tenantId, picks } = series;
  if (picks.length === 0) return [];
  const ids = picks.map((pick) => pick.message_id);
  await holdMessages(tx, tenantId, ids);
  await writeUnwritten(tx, tenantId, ids);
  await makeMissingForms(tx, tenantId, picks);
  return insertSeries(tx, series);
}
