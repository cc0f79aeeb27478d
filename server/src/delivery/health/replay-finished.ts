import type { Tx } from "#/db/transaction.ts";
import type { Ids } from "#/kernel/ids.ts";

import type { EndpointBook } from "../endpoints/book.ts";
import { announceOperations } from "./announce.ts";

/** A replay of events or a resend of messages that is over. */
export type FinishedReplay = {
  readonly tenantId: string;
  /** As the API shows it. */
  readonly id: string;
  readonly state: "done" | "canceled";
  readonly counts: Readonly<Record<string, number>>;
  readonly createdAt: Date;
  readonly finishedAt: Date;
};

/** Tells operational endpoints that it is over, in the transaction in which it ends: once, or not at all. */
export async function tellReplayFinished(
  tx: Tx,
  { ids, book }: { readonly ids: Ids; readonly book: EndpointBook },
  { tenantId, id, state, counts, createdAt, finishedAt }: FinishedReplay,
): Promise<void> {
  const [created_at, finished_at] = [createdAt.toISOString(), finishedAt.toISOString()];
  const data = { replay: { id, state, counts, created_at, finished_at } };
  const operation = { tenantId, endpointId: null, type: "replay.finished", subject: id, data };
  await announceOperations(tx, [operation], finishedAt.getTime(), { ids, book, roomFor: () => 0 });
}
