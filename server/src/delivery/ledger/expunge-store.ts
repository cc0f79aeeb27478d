import type { Tx } from "#/db/transaction.ts";

/**
 * Removes the bytes of a message in every format, and everything receivers answered to it: an answer may repeat what was sent.
 * What had still to be sent ends as expired; of an attempt that is under way nothing is kept. False when there is no such
 * message.
 */
export async function expungePayload(tx: Tx, tenantId: string, messageId: string): Promise<boolean> {
  const found = await tx.run(
    "update messages set expired_at = coalesce(expired_at, now()) where tenant_id = $1 and id = $2",
    [tenantId, messageId],
  );
  if (found === 0) return false;
  await tx.run(
    `update deliveries set state = 'undelivered', reason = 'expired', finished_at = now(), resume_at = null, is_blocked = false,
            claim_id = null, lease_until = null
      where tenant_id = $1 and message_id = $2 and state not in ('delivered', 'undelivered')`,
    [tenantId, messageId],
  );
  await tx.run("delete from message_bodies where tenant_id = $1 and message_id = $2", [tenantId, messageId]);
  const ofMessage = "select id from deliveries where tenant_id = $1 and message_id = $2";
  await tx.run(`delete from attempt_bodies where tenant_id = $1 and delivery_id in (${ofMessage})`, [
    tenantId,
    messageId,
  ]);
  await tx.run(
    `update attempts set response_headers = null, response_body = null
      where tenant_id = $1 and delivery_id in (${ofMessage}) and (response_headers is not null or response_body is not null)`,
    [tenantId, messageId],
  );
  return true;
}
