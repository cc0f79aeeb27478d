import type { Tx } from "#/db/transaction.ts";

import { type CallMessageType, callMessageTypes } from "../announce.ts";

export type UnwrittenRow = {
  readonly id: string;
  readonly type: CallMessageType;
  readonly call_id: string;
  readonly occurred_at: Date;
};

/** Those of these messages that are about calls, went to nobody, and have no bytes yet. What has expired gets none any more. */
export async function findUnwritten(tx: Tx, tenantId: string, messageIds: readonly string[]): Promise<UnwrittenRow[]> {
  if (messageIds.length === 0) return [];
  return tx.rows<UnwrittenRow>(
    `select m.id, m.type, m.call_id, m.occurred_at
       from unnest($2::uuid[]) as wanted (id)
      cross join lateral (select * from messages where tenant_id = $1 and id = wanted.id limit 1) as m
      where m.unrouted_reason is not null and m.expired_at is null and m.call_id is not null and m.type = any ($3::text[])
        and not exists (select from message_bodies b where b.tenant_id = $1 and b.message_id = m.id)`,
    [tenantId, messageIds, callMessageTypes],
  );
}
