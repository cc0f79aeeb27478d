import { toPublicId } from "@aftercall/contract/id.ts";

import type { EndpointBook } from "#/delivery/endpoints/book.ts";
import { tellReplayFinished } from "#/delivery/health/replay-finished.ts";
import type { ReplayFinished } from "#/inbox/replay-store.ts";
import type { Ids } from "#/kernel/ids.ts";

/** A replay of events that is over is told like a resend of messages. */
export function composeReplayFinished(context: { readonly ids: Ids; readonly book: EndpointBook }): ReplayFinished {
  return async (tx, row) => {
    if (!row.finished_at || (row.state !== "done" && row.state !== "canceled")) return;
    await tellReplayFinished(tx, context, {
      tenantId: row.tenant_id,
      id: toPublicId("replay", row.id),
      state: row.state,
      counts: { changed: row.changed_count, unchanged: row.unchanged_count, problems: row.problem_count },
      createdAt: row.created_at,
      finishedAt: row.finished_at,
    });
  };
}
