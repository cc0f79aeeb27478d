import type { CallAnalysis } from "@aftercall/contract/analysis/call-analysis.ts";
import type { Transcript } from "@aftercall/contract/call.ts";

import type { Tx } from "#/db/transaction.ts";

import { type ReproducibleType, reproducibleTypes } from "../announce.ts";

export type UnwrittenRow = {
  readonly id: string;
  readonly type: ReproducibleType;
  readonly call_id: string;
  readonly occurred_at: Date;
};

/** Those of these messages that can be made from what is stored, went to nobody, and have no bytes yet. What has expired gets none any more. */
export async function findUnwritten(tx: Tx, tenantId: string, messageIds: readonly string[]): Promise<UnwrittenRow[]> {
  if (messageIds.length === 0) return [];
  return tx.rows<UnwrittenRow>(
    `select m.id, m.type, m.call_id, m.occurred_at
       from unnest($2::uuid[]) as wanted (id)
      cross join lateral (select * from messages where tenant_id = $1 and id = wanted.id limit 1) as m
      where m.unrouted_reason is not null and m.expired_at is null and m.call_id is not null and m.type = any ($3::text[])
        and not exists (select from message_bodies b where b.tenant_id = $1 and b.message_id = m.id)`,
    [tenantId, messageIds, reproducibleTypes],
  );
}

/** What was made of a call when these messages were accepted, by message: from the one that told of it just before. */
export async function analysesBefore(
  tx: Tx,
  tenantId: string,
  messageIds: readonly string[],
): Promise<Map<string, CallAnalysis>> {
  if (messageIds.length === 0) return new Map();
  const rows = await tx.rows<{ id: string; body: Buffer }>(
    `select m.id, told.body
       from unnest($2::uuid[]) as wanted (id)
      cross join lateral (select id, call_id, sequence from messages where tenant_id = $1 and id = wanted.id limit 1) as m
      cross join lateral (select b.body from messages a join message_bodies b on b.tenant_id = a.tenant_id and b.message_id = a.id
                           where a.tenant_id = $1 and a.call_id = m.call_id and a.type in ('analysis.completed', 'analysis.failed')
                             and a.sequence < m.sequence and b.format = 'standard'
                           order by a.sequence desc limit 1) as told`,
    [tenantId, messageIds],
  );
  return new Map(rows.map(({ id, body }) => [id, analysisIn(body)]));
}

function analysisIn(body: Buffer): CallAnalysis {
  const { data } = JSON.parse(body.toString("utf8")) as { data: { analysis: CallAnalysis } };
  return data.analysis;
}

/** The transcripts of calls, as they may be shown. */
export async function transcriptsOfCalls(
  tx: Tx,
  tenantId: string,
  callIds: readonly string[],
): Promise<(Transcript & { readonly id: string })[]> {
  if (callIds.length === 0) return [];
  return tx.rows(
    `select t.id, t.language, t.text, t.turns from unnest($2::uuid[]) as wanted (id)
      cross join lateral (select * from transcripts where call_id = wanted.id and tenant_id = $1 offset 0) as t`,
    [tenantId, callIds],
  );
}
