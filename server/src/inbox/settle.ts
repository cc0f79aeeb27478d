import { aliasesOf } from "#/calls/alias-store.ts";
import { changesBetween } from "#/calls/change.ts";
import type { AfterCommit } from "#/calls/change.ts";
import { shownMoments } from "#/calls/moment-store.ts";
import { changedAt } from "#/calls/record.ts";
import { loadTranscripts, lockCalls, saveCalls } from "#/calls/store.ts";
import type { Tx } from "#/db/transaction.ts";

import type { BatchContext } from "./store-batch.ts";

/**
 * Settles a call whose promised report did not come in time: `call.completed` goes out with what is known. Does nothing when
 * the report came after all, so it may run any number of times.
 */
export async function settleCall(
  tx: Tx,
  context: BatchContext,
  { tenantId, callId }: { readonly tenantId: string; readonly callId: string },
): Promise<AfterCommit[]> {
  const locked = await lockCalls(tx, [tenantId], [callId]);
  const found = locked.get(callId);
  const record = found?.mergedInto ? locked.get(found.mergedInto) : found;
  if (!record) return [];
  const due = { ...record, version: record.version + 1, updatedAt: changedAt(record, context.now()) };
  const { record: settled, types } = changesBetween(record, due, "due");
  if (!types.includes("call.settled")) return [];
  const eventId = record.state.transcript?.value.event_id;
  const transcripts = await loadTranscripts(tx, [tenantId], eventId ? [eventId] : []);
  const moments = await shownMoments(tx, record);
  const aliases = (await aliasesOf(tx, [tenantId], [record.id])).get(record.id) ?? [];
  await saveCalls(tx, [settled]);
  return context.hooks.react(tx, [
    {
      type: "call.settled",
      tenantId,
      before: record,
      after: settled,
      aliases,
      transcript: (eventId && transcripts.get(eventId)) || null,
      moments,
      receivedAt: context.now(),
    },
  ]);
}
