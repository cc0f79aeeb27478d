import type { Call, Transcript } from "@aftercall/contract/call.ts";

import { plainColumn, textColumn } from "#/db/columns.ts";
import type { Tx } from "#/db/transaction.ts";
import { jsonbText } from "#/kernel/jsonb.ts";

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
  if (calls.length === 0) return;
  const lines = calls.map(({ call, transcript, summary }) => linesOf(call, transcript, summary));
  await tx.run(
    `insert into call_search (tenant_id, call_id, text, lines)
     select r.tenant_id, r.call_id, r.text, r.lines::json
       from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) as r (tenant_id, call_id, text, lines)
     on conflict (tenant_id, call_id) do update set text = excluded.text, lines = excluded.lines, updated_at = now()`,
    [
      plainColumn(calls.map(({ tenantId }) => tenantId)),
      plainColumn(calls.map(({ callId }) => callId)),
      textColumn(lines.map(textOf)),
      textColumn(lines.map((each) => jsonbText(each))),
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
