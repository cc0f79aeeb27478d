import type { Page } from "#/db/page.ts";
import type { Tx } from "#/db/transaction.ts";

export type IdentityProviderRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly name: string;
  readonly issuer: string;
  readonly audience: string | null;
  readonly jwks_url: string;
  readonly created_at: Date;
};

/** Which tenants believe an issuer; works without a tenant. */
export async function tenantsOfIssuer(tx: Tx, issuer: string): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>("select lookup_issuer_tenants($1) as id", [issuer]);
  return rows.map((row) => row.id);
}

export async function providersOfIssuer(
  tx: Tx,
  tenants: readonly string[],
  issuer: string,
): Promise<IdentityProviderRow[]> {
  return tx.rows<IdentityProviderRow>(
    "select * from identity_providers where tenant_id = any ($1::uuid[]) and issuer = $2 order by created_at, id",
    [tenants, issuer],
  );
}

/** Newest first, from below `before` on. */
export async function listProviders(tx: Tx, tenant: string, { before, limit }: Page): Promise<IdentityProviderRow[]> {
  return tx.rows<IdentityProviderRow>(
    "select * from identity_providers where tenant_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3",
    [tenant, before, limit],
  );
}

export async function providerById(tx: Tx, tenant: string, id: string): Promise<IdentityProviderRow | null> {
  const [row] = await tx.rows<IdentityProviderRow>(
    "select * from identity_providers where tenant_id = $1 and id = $2",
    [tenant, id],
  );
  return row ?? null;
}

/** Null when the tenant has one with this issuer. */
export async function insertProvider(
  tx: Tx,
  row: Omit<IdentityProviderRow, "created_at">,
): Promise<IdentityProviderRow | null> {
  const [made] = await tx.rows<IdentityProviderRow>(
    `insert into identity_providers (tenant_id, id, name, issuer, audience, jwks_url) values ($1, $2, $3, $4, $5, $6)
     on conflict (tenant_id, issuer) do nothing returning *`,
    [row.tenant_id, row.id, row.name, row.issuer, row.audience, row.jwks_url],
  );
  return made ?? null;
}

/** Null when it is not there. */
export async function deleteProvider(tx: Tx, tenant: string, id: string): Promise<IdentityProviderRow | null> {
  const [row] = await tx.rows<IdentityProviderRow>(
    "delete from identity_providers where tenant_id = $1 and id = $2 returning *",
    [tenant, id],
  );
  return row ?? null;
}
