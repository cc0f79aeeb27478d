import type { Tx } from "#/db/transaction.ts";

/** Says since when messages about the calls of a campaign wait, or with null that they do not. False: it was so already. */
export async function setPaused(tx: Tx, tenantId: string, id: string, isPaused: boolean): Promise<boolean> {
  const count = await tx.run(
    `update campaigns set deliveries_paused_at = case when $3 then now() end, updated_at = now()
      where tenant_id = $1 and id = $2 and (deliveries_paused_at is not null) <> $3`,
    [tenantId, id, isPaused],
  );
  return count > 0;
}

/** Takes what is due out of the way of the claim; what is being sent at this moment arrives, or waits with its next try. */
export async function holdDeliveries(tx: Tx, tenantId: string, id: string): Promise<number> {
  return tx.run(
    `update deliveries d set due_at = 'infinity' from messages m, calls c
      where d.tenant_id = $1 and d.state = 'due' and d.due_at < 'infinity' and d.cause = 'event'
        and m.tenant_id = d.tenant_id and m.id = d.message_id and c.tenant_id = m.tenant_id and c.id = m.call_id and c.campaign_id = $2`,
    [tenantId, id],
  );
}

/** Makes what waited due, in the order in which it was written. */
export async function releaseDeliveries(tx: Tx, tenantId: string, id: string): Promise<number> {
  return tx.run(
    `update deliveries d set due_at = now() from messages m, calls c
      where d.tenant_id = $1 and d.state = 'due' and d.due_at = 'infinity' and d.cause = 'event'
        and m.tenant_id = d.tenant_id and m.id = d.message_id and c.tenant_id = m.tenant_id and c.id = m.call_id and c.campaign_id = $2`,
    [tenantId, id],
  );
}
