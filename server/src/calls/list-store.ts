import type { Tx } from "#/db/transaction.ts";

import type { CallRecord } from "./record.ts";
import { callColumns, type CallRow, recordOf } from "./store.ts";

export type CallFilter = {
  readonly status: readonly string[] | null;
  readonly provider: string | null;
  readonly campaignId: string | null;
  readonly businessId: string | null;
  readonly outcome: string | null;
  readonly direction: string | null;
  readonly from: string | null;
  readonly to: string | null;
  /** Started at this time or later, and before that one; milliseconds. A call that has not started is in no range. */
  readonly startedAfter: number | null;
  readonly startedBefore: number | null;
  /** For `like`: each must fit what the call can be found by. Null asks for nothing, none at all fits no call. */
  readonly patterns: readonly string[] | null;
  /** Who must have said what the patterns fit; null for anybody, and for what nobody said. */
  readonly saidBy: string | null;
  readonly before: string | null;
  readonly limit: number;
};

/** Calls of a tenant, newest first, without those that were merged away. */
export async function listCalls(tx: Tx, tenantId: string, filter: CallFilter): Promise<CallRecord[]> {
  const { patterns, saidBy } = filter;
  const found = patterns ? "find_calls($1, $14::text[]) as f (id) join calls c on c.id = f.id and" : "calls c where";
  const rows = await tx.rows<CallRow>(
    `select ${callColumns} from ${found} c.tenant_id = $1 ${patterns ? "where" : "and"} c.merged_into is null
        and ($2::text[] is null or c.status = any ($2)) and ($3::text is null or c.provider = $3)
        and ($4::uuid is null or c.campaign_id = $4) and ($5::uuid is null or c.id < $5)
        and ($7::text is null or c.business_id = $7) and ($8::text is null or c.outcome = $8)
        and ($9::text is null or c.direction = $9) and ($10::text is null or c.from_number = $10)
        and ($11::text is null or c.to_number = $11) and ($12::float8 is null or c.started_at >= to_timestamp($12 / 1000.0))
        and ($13::float8 is null or c.started_at < to_timestamp($13 / 1000.0)) ${patterns && saidBy ? said : ""}
      order by c.id desc limit $6`,
    [
      ...[tenantId, filter.status, filter.provider, filter.campaignId, filter.before, filter.limit, filter.businessId],
      ...[filter.outcome, filter.direction, filter.from, filter.to, filter.startedAfter, filter.startedBefore],
      ...(patterns ? [patterns] : []),
      ...(patterns && saidBy ? [saidBy] : []),
    ],
  );
  return rows.map(recordOf);
}

/** Each pattern fits a line of that side: the lines of the text are those of `lines`, in their order. */
const said = `and exists (
  select from call_search s
   where s.tenant_id = c.tenant_id and s.call_id = c.id and not exists (
     select from unnest($14::text[]) as p (pattern) where not exists (
       select from string_to_table(s.text, chr(10)) with ordinality as l (line, at)
        where l.line like p.pattern and s.lines -> (l.at::int - 1) ->> 'role' = $15)))`;
