import type { Found } from "#/kernel/page.ts";

import { estimateTotal } from "./total.ts";
import type { Tx } from "./transaction.ts";

/** What a request says about any list of /v1. */
export type PageRequest = { readonly limit: number; readonly include?: "total_estimate" | undefined };

/** At most `limit` rows from beyond a place on; null: from the beginning of the list. */
export type Page<Place = string> = { readonly before: Place | null; readonly limit: number };

/**
 * Reads one page, and estimates how long the whole list is where the request asks for it: by the statement that lists, which
 * is the first that `list` sends, so that what is counted has the same tenant, filters and row-level security. Nothing is
 * counted unasked.
 */
export async function readPage<Row, Place>(
  tx: Tx,
  { limit, include }: PageRequest,
  before: Place | null,
  list: (tx: Tx, page: Page<Place>) => Promise<readonly Row[]>,
): Promise<Found<Row>> {
  const rows = await list(tx, { before, limit: limit + 1 });
  if (include === undefined) return { rows };
  if (before === null && rows.length <= limit) return { rows, total_estimate: { value: rows.length, is_exact: true } };
  return { rows, total_estimate: await estimateTotal(tx, (probe, max) => list(probe, { before: null, limit: max })) };
}
