import type { Tx } from "#/db/transaction.ts";

export async function deleteEndpointsOf(tx: Tx, tenantId: string): Promise<number> {
  await tx.run("delete from endpoint_secrets where tenant_id = $1", [tenantId]);
  return tx.run(
    `update endpoints set deleted_at = now(), disabled_at = coalesce(disabled_at, now()), disabled_reason = coalesce(disabled_reason, 'user'),
            sealed_headers = null, sealed_auth = null, sealed_signature_secret = null, updated_at = clock_timestamp()
      where tenant_id = $1 and deleted_at is null`,
    [tenantId],
  );
}
