import type { Page } from "#/db/page.ts";
import type { Tx } from "#/db/transaction.ts";

import type { TenantRow } from "./store.ts";

/** Those of some ids that are not closed, newest first. */
export async function listTenants(tx: Tx, ids: readonly string[], { before, limit }: Page): Promise<TenantRow[]> {
  return tx.rows<TenantRow>(
    `select id, slug, name, created_at, deleted_at from tenants
      where id = any ($1::uuid[]) and deleted_at is null and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [ids, before, limit],
  );
}

export async function markDeleted(tx: Tx, id: string): Promise<void> {
  await tx.run("update tenants set deleted_at = now() where id = $1 and deleted_at is null", [id]);
}

export async function revokeAllKeys(tx: Tx, tenantId: string): Promise<void> {
  await tx.run("update api_keys set revoked_at = now() where tenant_id = $1 and revoked_at is null", [tenantId]);
}

export type PrivateTargetRow = { readonly block: string; readonly granted_by: string; readonly created_at: Date };

export async function listPrivateTargets(tx: Tx, tenantId: string): Promise<PrivateTargetRow[]> {
  return tx.rows<PrivateTargetRow>(
    `select block::text as block, granted_by, created_at from private_targets
      where tenant_id = $1 order by private_targets.block`,
    [tenantId],
  );
}

/** Makes these the open blocks of a tenant. One that was open stays as it was granted. */
export async function replacePrivateTargets(
  tx: Tx,
  tenantId: string,
  blocks: readonly string[],
  grantedBy: string,
): Promise<void> {
  await tx.run("delete from private_targets where tenant_id = $1 and block <> all ($2::cidr[])", [tenantId, blocks]);
  await addPrivateTargets(tx, tenantId, blocks, grantedBy);
}

export async function addPrivateTargets(
  tx: Tx,
  tenantId: string,
  blocks: readonly string[],
  grantedBy: string,
): Promise<void> {
  await tx.run(
    `insert into private_targets (tenant_id, block, granted_by) select $1, b, $3 from unnest($2::cidr[]) as b
     on conflict (tenant_id, block) do nothing`,
    [tenantId, blocks, grantedBy],
  );
}

/** Closes what was opened by somebody and is not among these any more. */
export async function removePrivateTargets(
  tx: Tx,
  tenantId: string,
  kept: readonly string[],
  grantedBy: string,
): Promise<void> {
  await tx.run("delete from private_targets where tenant_id = $1 and granted_by = $3 and block <> all ($2::cidr[])", [
    tenantId,
    kept,
    grantedBy,
  ]);
}
