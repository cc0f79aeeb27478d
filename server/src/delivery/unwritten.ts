import type { Transcript } from "@aftercall/contract/call.ts";
import type { CallMoment } from "@aftercall/contract/moment.ts";

import { aliasesOf } from "#/calls/alias-store.ts";
import { shownMoments } from "#/calls/moment-store.ts";
import type { CallRecord } from "#/calls/record.ts";
import { readCalls } from "#/calls/store.ts";
import { loadCurrentTranscript } from "#/calls/transcript-store.ts";
import type { Tx } from "#/db/transaction.ts";

import { renderCall, renderResult } from "./announce.ts";
import { messageIdOf } from "./message-id.ts";
import { analysesBefore, findUnwritten, transcriptsOfCalls, type UnwrittenRow } from "./queue/unwritten-store.ts";
import { insertForms } from "./resend/forms-store.ts";

/**
 * The bytes, in the standard form, of those of these messages that have none: messages about calls that nobody wanted are kept
 * without any, because they can be made from the call (docs/decisions/0010, 0030). They say what is known of the call now.
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
  const completed = rows.filter(({ type }) => type === "call.completed").map(({ id }) => id);
  const analyses = await analysesBefore(tx, tenantId, completed);
  const told = await transcriptsTold(tx, tenantId, rows, records);
  return new Map(
    rows.flatMap((row) => {
      const { id, type } = row;
      const after = recordOf(row.call_id);
      if (!after) return [];
      const about = { tenantId, after, aliases: aliases.get(after.id) ?? [] };
      const at = row.occurred_at.getTime();
      if (type === "transcript.ready") {
        const transcript = told.get(id);
        const result = { ...about, type, at, data: { transcript } };
        return transcript ? [[id, renderResult(result, id, "standard")] as const] : [];
      }
      const said = { transcript: transcripts.get(after.id) ?? null, moments: moments.get(after.id) ?? [] };
      const analysis = analyses.get(id);
      const call = { ...about, ...said, ...(analysis && { analysis }) };
      return [[id, renderCall(type, call, at, id, "standard")] as const];
    }),
  );
}

/** The transcripts that messages tell of, by message: its id is made of that of the transcript. */
async function transcriptsTold(
  tx: Tx,
  tenantId: string,
  rows: readonly UnwrittenRow[],
  records: readonly CallRecord[],
): Promise<Map<string, Transcript>> {
  const telling = rows.filter(({ type }) => type === "transcript.ready");
  if (telling.length === 0) return new Map();
  const callIds = new Set([...telling.map((row) => row.call_id), ...records.map(({ id }) => id)]);
  const transcripts = await transcriptsOfCalls(tx, tenantId, [...callIds]);
  return new Map(
    telling.flatMap((row) => {
      const at = row.occurred_at.getTime();
      const found = transcripts.find(({ id }) => messageIdOf(at, id, row.type) === row.id);
      if (!found) return [];
      const { id: _, ...transcript } = found;
      return [[row.id, transcript] as const];
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
