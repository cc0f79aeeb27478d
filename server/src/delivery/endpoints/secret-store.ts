import type { Tx } from "#/db/transaction.ts";

import type { SecretRow } from "./secrets.ts";

export type StoredSecret = {
  readonly id: string;
  readonly sealed: Buffer;
  readonly created_at: Date;
  readonly expires_at: Date | null;
};

/** Secrets that sign now, newest first. */
export async function listSecrets(tx: Tx, tenantId: string, endpointId: string): Promise<StoredSecret[]> {
  return tx.rows<StoredSecret>(
    `select id, sealed, created_at, expires_at from endpoint_secrets
      where tenant_id = $1 and endpoint_id = $2 and (expires_at is null or expires_at > now()) order by id desc`,
    [tenantId, endpointId],
  );
}

export async function insertSecret(tx: Tx, endpointId: string, row: SecretRow): Promise<void> {
  await tx.run("insert into endpoint_secrets (tenant_id, id, endpoint_id, sealed) values ($1, $2, $3, $4)", [
    row.tenant_id,
    row.id,
    endpointId,
    row.sealed,
  ]);
}

/** Lets the secrets of an endpoint end after a grace, those that end earlier as they were, and removes the ended ones. */
export async function expireSecrets(tx: Tx, tenantId: string, endpointId: string, graceSeconds: number): Promise<void> {
  await tx.run(
    `update endpoint_secrets set expires_at = least(expires_at, now() + $3 * interval '1 second') where tenant_id = $1 and endpoint_id = $2`,
    [tenantId, endpointId, graceSeconds],
  );
  await tx.run("delete from endpoint_secrets where tenant_id = $1 and endpoint_id = $2 and expires_at <= now()", [
    tenantId,
    endpointId,
  ]);
  await tx.run("update endpoints set updated_at = clock_timestamp() where tenant_id = $1 and id = $2", [
    tenantId,
    endpointId,
  ]);
}
