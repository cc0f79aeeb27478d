import type { Call, Transcript } from "@aftercall/contract/call.ts";

import type { Tx } from "#/db/transaction.ts";

import { linesOf, textOf } from "./search.ts";
import type { SearchLine } from "./search.ts";

/** Makes a call findable by what was said in it, replacing what it was found by before. */
export async function indexCall(
  tx: Tx,
  {
    tenantId,
    callId,
    call,
    transcript,
    summary,
  }: {
    readonly tenantId: string;
    readonly callId: string;
    readonly call: Call;
    readonly transcript: Transcript | null;
    readonly summary: string | null;
  },
): Promise<void> {
  const lines = linesOf(call, transcript, summary);
  await tx.run(
    `insert into call_search (tenant_id, call_id, text, lines) values ($1, $2, $3, $4)
     on conflict (tenant_id, call_id) do update set text = excluded.text, lines = excluded.lines, updated_at = now()`,
    [tenantId, callId, textOf(lines), JSON.stringify(lines)],
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
