import type { Page } from "#/db/page.ts";
import type { Tx } from "#/db/transaction.ts";

export type SourceRow = {
  tenant_id: string;
  id: string;
  slug: string;
  provider: string;
  name: string;
  setup: Record<string, unknown>;
  auth: "required" | "none";
  on_given_routes: boolean;
  given_routes_create: boolean;
  user_id: string | null;
  is_enabled: boolean;
  created_at: Date;
  updated_at: Date;
};

export type SecretRow = {
  tenant_id: string;
  id: string;
  source_id: string;
  slot: string;
  key_id: string | null;
  sealed: Buffer;
  digest: Buffer;
  hint: string;
  origin: "api" | "environment";
  expires_at: Date | null;
  created_at: Date;
};

type SourceKey = { tenant_id: string; id: string };

/** Where the source with this slug is; works without a tenant. */
export async function sourceOfSlug(tx: Tx, slug: string): Promise<SourceKey | null> {
  const [row] = await tx.rows<SourceKey>("select tenant_id, id from lookup_source($1)", [slug]);
  return row ?? null;
}

/** The enabled sources that take part on a provider's given routes, oldest first; works without a tenant. */
export async function sourcesOnGivenRoutes(tx: Tx, provider: string): Promise<SourceKey[]> {
  return tx.rows<SourceKey>("select tenant_id, id from lookup_given_route_sources($1)", [provider]);
}

export async function sourcesById(tx: Tx, tenantIds: readonly string[], ids: readonly string[]): Promise<SourceRow[]> {
  return tx.rows<SourceRow>(
    "select * from sources where tenant_id = any ($1::uuid[]) and id = any ($2::uuid[]) order by created_at, id",
    [tenantIds, ids],
  );
}

export async function secretsOf(
  tx: Tx,
  tenantIds: readonly string[],
  sourceIds: readonly string[],
): Promise<SecretRow[]> {
  return tx.rows<SecretRow>(
    "select * from source_secrets where tenant_id = any ($1::uuid[]) and source_id = any ($2::uuid[]) order by created_at desc, id desc",
    [tenantIds, sourceIds],
  );
}

/** Newest first, from below `before` on. */
export async function listSources(tx: Tx, tenant: string, { before, limit }: Page): Promise<SourceRow[]> {
  return tx.rows<SourceRow>(
    "select * from sources where tenant_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3",
    [tenant, before, limit],
  );
}

/** Holds the source against other changes until the transaction ends. */
export async function lockSource(tx: Tx, tenant: string, id: string): Promise<SourceRow | null> {
  const [row] = await tx.rows<SourceRow>("select * from sources where tenant_id = $1 and id = $2 for update", [
    tenant,
    id,
  ]);
  return row ?? null;
}

export type NewSource = Omit<SourceRow, "created_at" | "updated_at" | "is_enabled">;

/** Null when the slug is taken, by whichever tenant. */
export async function insertSource(tx: Tx, source: NewSource): Promise<SourceRow | null> {
  const [row] = await tx.rows<SourceRow>(
    `insert into sources (tenant_id, id, slug, provider, name, setup, auth, on_given_routes, given_routes_create, user_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (slug) do nothing returning *`,
    [
      source.tenant_id,
      source.id,
      source.slug,
      source.provider,
      source.name,
      JSON.stringify(source.setup),
      source.auth,
      source.on_given_routes,
      source.given_routes_create,
      source.user_id,
    ],
  );
  return row ?? null;
}

export async function saveSource(tx: Tx, source: SourceRow): Promise<SourceRow | null> {
  const [row] = await tx.rows<SourceRow>(
    `update sources set name = $3, setup = $4, auth = $5, on_given_routes = $6, given_routes_create = $7, user_id = $8,
            is_enabled = $9, updated_at = now()
      where tenant_id = $1 and id = $2 returning *`,
    [
      source.tenant_id,
      source.id,
      source.name,
      JSON.stringify(source.setup),
      source.auth,
      source.on_given_routes,
      source.given_routes_create,
      source.user_id,
      source.is_enabled,
    ],
  );
  return row ?? null;
}

/** Closes every source of a tenant: what comes to them is not found any more. */
export async function disableSourcesOf(tx: Tx, tenant: string): Promise<number> {
  return tx.run("update sources set is_enabled = false, updated_at = now() where tenant_id = $1 and is_enabled", [
    tenant,
  ]);
}

/** False when it is not there. Refused by the event log's foreign key (SQLSTATE 23503) once it received an event. */
export async function deleteSource(tx: Tx, tenant: string, id: string): Promise<boolean> {
  return (await tx.run("delete from sources where tenant_id = $1 and id = $2", [tenant, id])) > 0;
}

export async function insertSecret(tx: Tx, secret: Omit<SecretRow, "created_at">): Promise<SecretRow> {
  const [row] = await tx.rows<SecretRow>(
    `insert into source_secrets (tenant_id, id, source_id, slot, key_id, sealed, digest, hint, origin, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning *`,
    [
      secret.tenant_id,
      secret.id,
      secret.source_id,
      secret.slot,
      secret.key_id,
      secret.sealed,
      secret.digest,
      secret.hint,
      secret.origin,
      secret.expires_at,
    ],
  );
  if (!row) throw new Error("An insert returned no row");
  return row;
}

export async function setSecretExpiry(
  tx: Tx,
  tenant: string,
  ids: readonly string[],
  at: Date | null,
): Promise<number> {
  return tx.run("update source_secrets set expires_at = $3 where tenant_id = $1 and id = any ($2::uuid[])", [
    tenant,
    ids,
    at,
  ]);
}

export async function deleteSecret(tx: Tx, tenant: string, sourceId: string, id: string): Promise<boolean> {
  const count = await tx.run("delete from source_secrets where tenant_id = $1 and source_id = $2 and id = $3", [
    tenant,
    sourceId,
    id,
  ]);
  return count > 0;
}

/** One start at a time makes the default sources. Held until the transaction ends. */
export async function lockDefaults(tx: Tx): Promise<void> {
  await tx.run("select pg_advisory_xact_lock(hashtext('aftercall.default_sources'))");
}

export type SourcePollRow = {
  readonly source_id: string;
  readonly result: "ok" | "off" | "refused" | "limited" | "unavailable" | "unreadable";
  readonly detail: string | null;
  readonly polled_at: Date;
  readonly due_at: Date;
  readonly request_count: number;
  readonly found_count: number;
  readonly found_total: string;
};

/** What asking the providers of these sources did last. */
export async function pollsOf(
  tx: Tx,
  tenantIds: readonly string[],
  sourceIds: readonly string[],
): Promise<SourcePollRow[]> {
  return tx.rows<SourcePollRow>(
    `select source_id, result, detail, polled_at, due_at, request_count, found_count, found_total
       from source_polls where tenant_id = any ($1::uuid[]) and source_id = any ($2::uuid[])`,
    [tenantIds, sourceIds],
  );
}
