import type { Transcript } from "@aftercall/contract/call.ts";
import type { CallMoment } from "@aftercall/contract/moment.ts";

import { aliasesOf } from "#/calls/alias-store.ts";
import { shownMoments } from "#/calls/moment-store.ts";
import { readCalls } from "#/calls/store.ts";
import { loadCurrentTranscript } from "#/calls/transcript-store.ts";
import type { Tx } from "#/db/transaction.ts";

import { renderCall } from "./announce.ts";
import { findUnwritten } from "./queue/unwritten-store.ts";
import { insertForms } from "./resend/forms-store.ts";

/**
 * The bytes, in the standard form, of those of these messages that have none: messages about calls that nobody wanted are kept
 * without any, because they can be made from the call (docs/decisions/0010). They say what is known of the call now.
 */
export async function renderUnwritten(
  tx: Tx,
  tenantId: string,
  messageIds: readonly string[],
): Promise<Map<string, Buffer>> {
  const rows = await findUnwritten(tx, tenantId, messageIds);
  if (rows.length === 0) return new Map();
  const calls = await readCalls(tx, [tenantId], [...new Set(rows.map((row) => row.call_id))]);
  const recordOf = (id: string) => {
    const found = calls.get(id);
    return found?.mergedInto ? (calls.get(found.mergedInto) ?? found) : found;
  };
  const records = rows.flatMap((row) => recordOf(row.call_id) ?? []);
  const aliases = await aliasesOf(tx, [tenantId], [...new Set(records.map(({ id }) => id))]);
  const transcripts = new Map<string, Transcript | null>();
  const moments = new Map<string, CallMoment[]>();
  for (const record of records) {
    const { id } = record;
    if (transcripts.has(id)) continue;
    transcripts.set(id, (await loadCurrentTranscript(tx, tenantId, id))?.transcript ?? null);
    moments.set(id, await shownMoments(tx, record));
  }
  return new Map(
    rows.flatMap((row) => {
      const after = recordOf(row.call_id);
      if (!after) return [];
      const said = { transcript: transcripts.get(after.id) ?? null, moments: moments.get(after.id) ?? [] };
      const call = { tenantId, after, aliases: aliases.get(after.id) ?? [], ...said };
      return [[row.id, renderCall(row.type, call, row.occurred_at.getTime(), row.id, "standard")] as const];
    }),
  );
}

/** The same, kept from then on: whoever sees or gets one of these messages later sees and gets these bytes. */
export async function writeUnwritten(tx: Tx, tenantId: string, messageIds: readonly string[]): Promise<void> {
  const rendered = await renderUnwritten(tx, tenantId, messageIds);
  await insertForms(
    tx,
    tenantId,
    [...rendered].map(([message_id, body]) => ({ message_id, form: "standard", body })),
  );
}
