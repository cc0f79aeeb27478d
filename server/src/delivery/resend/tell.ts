import { toPublicId } from "@aftercall/contract/id.ts";

import type { Tx } from "#/db/transaction.ts";
import type { Ids } from "#/kernel/ids.ts";

import type { EndpointBook } from "../endpoints/book.ts";
import { tellReplayFinished } from "../health/replay-finished.ts";
import { findResend, outcomesOf } from "./store.ts";

/** Tells that a resend is over. What it made due may still be on its way: the counts say what has become of it by now. */
export async function tellResendFinished(
  tx: Tx,
  context: { readonly ids: Ids; readonly book: EndpointBook },
  tenantId: string,
  id: string,
): Promise<void> {
  const row = await findResend(tx, tenantId, id);
  if (!row?.finished_at || (row.state !== "done" && row.state !== "canceled")) return;
  const outcome = (await outcomesOf(tx, tenantId, [id])).get(id);
  await tellReplayFinished(tx, context, {
    tenantId,
    id: toPublicId("resend", id),
    state: row.state,
    counts: {
      selected: row.total_count,
      resent: row.resent_count,
      delivered: outcome?.delivered ?? 0,
      undelivered: outcome?.undelivered ?? 0,
      waiting: outcome?.waiting ?? 0,
    },
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  });
}
