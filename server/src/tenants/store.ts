import type { Role } from "@aftercall/contract/tenant.ts";
import { apiVersion } from "@aftercall/contract/version.ts";

import type { Page } from "#/db/page.ts";
import type { Tx } from "#/db/transaction.ts";

export type TenantRow = { id: string; slug: string; name: string; created_at: Date; deleted_at: Date | null };

export type UserRow = {
  tenant_id: string;
  id: string;
  external_id: string;
  name: string | null;
  role: Role | null;
  removed_at: Date | null;
  created_at: Date;
};

export type ApiKeyRow = {
  tenant_id: string;
  id: string;
  digest: Buffer;
  prefix: string;
  name: string;
  role: Role;
  scopes: string[] | null;
  replaced_by: string | null;
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
  api_version: string;
  created_at: Date;
};

export async function tenantOfSlug(tx: Tx, slug: string): Promise<string | null> {
  const [row] = await tx.rows<{ id: string | null }>("select lookup_tenant($1) as id", [slug]);
  return row?.id ?? null;
}

export async function tenantById(tx: Tx, id: string): Promise<TenantRow | null> {
  const [row] = await tx.rows<TenantRow>("select id, slug, name, created_at, deleted_at from tenants where id = $1", [
    id,
  ]);
  return row ?? null;
}

/** False when another process made a tenant of this slug first. */
export async function insertTenant(tx: Tx, tenant: Pick<TenantRow, "id" | "slug" | "name">): Promise<boolean> {
  const count = await tx.run("insert into tenants (id, slug, name) values ($1, $2, $3) on conflict (slug) do nothing", [
    tenant.id,
    tenant.slug,
    tenant.name,
  ]);
  return count > 0;
}

/** Where the key with this digest is, whatever its state; works without a tenant. */
export async function keyOfDigest(tx: Tx, digest: Buffer): Promise<{ tenant_id: string; id: string } | null> {
  const [row] = await tx.rows<{ tenant_id: string; id: string }>("select tenant_id, id from lookup_api_key($1)", [
    digest,
  ]);
  return row ?? null;
}

export async function keyById(tx: Tx, tenant: string, id: string): Promise<ApiKeyRow | null> {
  const [row] = await tx.rows<ApiKeyRow>("select * from api_keys where tenant_id = $1 and id = $2", [tenant, id]);
  return row ?? null;
}

/** Newest first, from below `before` on. */
export async function listKeys(tx: Tx, tenant: string, { before, limit }: Page): Promise<ApiKeyRow[]> {
  return tx.rows<ApiKeyRow>(
    "select * from api_keys where tenant_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3",
    [tenant, before, limit],
  );
}

export type NewApiKey = Pick<ApiKeyRow, "tenant_id" | "id" | "digest" | "prefix" | "name" | "role" | "expires_at"> & {
  /** Left out: all that the role may. */
  readonly scopes?: string[] | null;
  /** Left out: the newest. */
  readonly api_version?: string;
};

/** Null when a key with this digest exists, in whichever tenant. */
export async function insertKey(tx: Tx, key: NewApiKey): Promise<ApiKeyRow | null> {
  const [row] = await tx.rows<ApiKeyRow>(
    `insert into api_keys (tenant_id, id, digest, prefix, name, role, expires_at, scopes, api_version)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (digest) do nothing returning *`,
    [
      ...[key.tenant_id, key.id, key.digest, key.prefix, key.name, key.role, key.expires_at, key.scopes ?? null],
      key.api_version ?? apiVersion,
    ],
  );
  return row ?? null;
}

/** Sets the time of revocation once. Null when there is no such key. */
export async function revokeKey(tx: Tx, tenant: string, id: string, at: Date): Promise<ApiKeyRow | null> {
  const [row] = await tx.rows<ApiKeyRow>(
    "update api_keys set revoked_at = coalesce(revoked_at, $3) where tenant_id = $1 and id = $2 returning *",
    [tenant, id, at],
  );
  return row ?? null;
}

/** Held against other changes until the transaction ends. */
export async function lockKey(tx: Tx, tenant: string, id: string): Promise<ApiKeyRow | null> {
  const [row] = await tx.rows<ApiKeyRow>("select * from api_keys where tenant_id = $1 and id = $2 for update", [
    tenant,
    id,
  ]);
  return row ?? null;
}

/** Notes what was made in place of a key, which ends at `until` if it does not end earlier. */
export async function replaceKey(tx: Tx, old: ApiKeyRow, replacedBy: string, until: Date): Promise<void> {
  await tx.run(
    "update api_keys set replaced_by = $3, expires_at = least(expires_at, $4) where tenant_id = $1 and id = $2",
    [old.tenant_id, old.id, replacedBy, until],
  );
}

export async function reviveKey(tx: Tx, tenant: string, id: string): Promise<void> {
  await tx.run("update api_keys set revoked_at = null, expires_at = null where tenant_id = $1 and id = $2", [
    tenant,
    id,
  ]);
}

/** Revokes the keys of this name but the one that is kept. */
export async function revokeOthers(tx: Tx, tenant: string, name: string, keptId: string, at: Date): Promise<number> {
  return tx.run(
    "update api_keys set revoked_at = $4 where tenant_id = $1 and name = $2 and id <> $3 and revoked_at is null",
    [tenant, name, keptId, at],
  );
}

export async function markUsed(tx: Tx, tenant: string, id: string, at: Date): Promise<void> {
  await tx.run("update api_keys set last_used_at = $3 where tenant_id = $1 and id = $2", [tenant, id, at]);
}

/** The tenants in which somebody is known by this name; works without a tenant. */
export async function tenantsOfUser(tx: Tx, externalId: string): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>("select lookup_user_tenants($1) as id", [externalId]);
  return rows.map((row) => row.id);
}

export async function usersNamed(tx: Tx, tenantIds: readonly string[], externalId: string): Promise<UserRow[]> {
  return tx.rows<UserRow>(
    `select u.* from users u join tenants t on t.id = u.tenant_id and t.deleted_at is null
      where u.tenant_id = any ($1::uuid[]) and u.external_id = $2 and u.removed_at is null order by u.tenant_id`,
    [tenantIds, externalId],
  );
}

export async function userById(tx: Tx, tenant: string, id: string): Promise<UserRow | null> {
  const [row] = await tx.rows<UserRow>("select * from users where tenant_id = $1 and id = $2", [tenant, id]);
  return row ?? null;
}

/** Newest first, from below `before` on. */
export async function listUsers(tx: Tx, tenant: string, { before, limit }: Page): Promise<UserRow[]> {
  return tx.rows<UserRow>(
    "select * from users where tenant_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3",
    [tenant, before, limit],
  );
}

/** Null when the tenant has a user of this external id. */
export async function insertUser(
  tx: Tx,
  user: Omit<UserRow, "created_at" | "role" | "removed_at">,
): Promise<UserRow | null> {
  const [row] = await tx.rows<UserRow>(
    `insert into users (tenant_id, id, external_id, name) values ($1, $2, $3, $4)
     on conflict (tenant_id, external_id) do nothing returning *`,
    [user.tenant_id, user.id, user.external_id, user.name],
  );
  return row ?? null;
}
