import type { Call, Transcript } from "@aftercall/contract/call.ts";

import { cut, longColumn, plainColumn } from "#/db/columns.ts";
import type { Tx } from "#/db/transaction.ts";
import { cleanText, jsonbText } from "#/kernel/jsonb.ts";

import { linesOf, textOf } from "./search.ts";
import type { SearchLine } from "./search.ts";

export type Findable = {
  readonly tenantId: string;
  readonly callId: string;
  readonly call: Call;
  readonly transcript: Transcript | null;
  readonly summary: string | null;
};

/** Makes calls findable by what was said in them, replacing what they were found by before. */
export async function indexCalls(tx: Tx, calls: readonly Findable[]): Promise<void> {
  await saveLines(
    tx,
    calls.map(({ tenantId, callId, call, transcript, summary }) => ({
      tenantId,
      callId,
      lines: linesOf(call, transcript, summary),
    })),
  );
}

export type FoundBy = { readonly tenantId: string; readonly callId: string; readonly lines: readonly SearchLine[] };

/** Writes what calls are found by. */
export async function saveLines(tx: Tx, calls: readonly FoundBy[]): Promise<void> {
  if (calls.length === 0) return;
  const lines = calls.map((one) => one.lines);
  const texts = longColumn(lines.map((each) => cleanText(textOf(each))));
  const said = longColumn(lines.map((each) => jsonbText(each)));
  await tx.run(
    `insert into call_search (tenant_id, call_id, text, lines)
     select r.tenant_id, r.call_id, ${cut("$3", "r.text_start", "r.text_length")}, ${cut("$4", "r.said_start", "r.said_length")}::json
       from unnest($1::uuid[], $2::uuid[], $5::int[], $6::int[], $7::int[], $8::int[])
         as r (tenant_id, call_id, text_start, text_length, said_start, said_length)
     on conflict (tenant_id, call_id) do update set text = excluded.text, lines = excluded.lines, updated_at = now()`,
    [
      plainColumn(calls.map(({ tenantId }) => tenantId)),
      plainColumn(calls.map(({ callId }) => callId)),
      texts.bytes,
      said.bytes,
      texts.starts,
      texts.lengths,
      said.starts,
      said.lengths,
    ],
    "calls.index",
  );
}

/** What a call can be found by; empty when it was never made findable. */
export async function loadSearchLines(tx: Tx, tenantId: string, callId: string): Promise<readonly SearchLine[]> {
  const rows = await tx.rows<{ lines: readonly SearchLine[] }>(
    "select lines from call_search where tenant_id = $1 and call_id = $2",
    [tenantId, callId],
  );
  return rows[0]?.lines ?? [];
}
