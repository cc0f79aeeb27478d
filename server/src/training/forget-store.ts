import type { Tx } from "#/db/transaction.ts";

/** Takes the words out of the feedback on calls; that there was feedback, and its score, stays. */
export async function forgetFeedback(tx: Tx, tenantId: string, callIds: readonly string[]): Promise<number> {
  return tx.run(
    `update training_sessions set detail = null, feedback = jsonb_build_object('score', feedback->'score', 'erased', true)
      where tenant_id = $1 and call_id = any ($2::uuid[]) and feedback is not null`,
    [tenantId, callIds],
  );
}
