import type { Tx } from "#/db/transaction.ts";

/**
 * Says that a person's version of what was said counts from now on, whatever the provider still sends. False when nothing was
 * ever made of the call. Not `isShown`: it has to be masked before anybody sees it.
 */
export async function putEditInPlace(
  tx: Tx,
  edit: { tenantId: string; callId: string; transcriptId: string; isShown: boolean },
): Promise<boolean> {
  const count = await tx.run(
    `update pipelines set edited_transcript_id = $3, transcript_id = case when $4 then $3 else transcript_id end
      where tenant_id = $1 and call_id = $2`,
    [edit.tenantId, edit.callId, edit.transcriptId, edit.isShown],
  );
  return count === 1;
}
