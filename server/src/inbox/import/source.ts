import type { Db } from "#/db/transaction.ts";
import { Conflict, Invalid } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { providerNamed } from "#/providers/index.ts";
import { MalformedBody } from "#/providers/provider.ts";
import type { ActiveSource, Sources } from "#/sources/active.ts";
import { insertSource } from "#/sources/store.ts";

import { sourceOfProvider } from "./store.ts";

export type SourceDeps = {
  readonly db: Db;
  readonly ids: Ids;
  readonly sources: Pick<Sources, "byId" | "bySlug" | "forget">;
};

/** The source whose provider reads the lines; of none the tenant's own for lines in our form. @throws Invalid, Conflict */
export async function sourceFor(deps: SourceDeps, tenantId: string, slug: string | null): Promise<ActiveSource> {
  if (slug === null) {
    return importSource(deps, tenantId, "generic", true).catch((error: unknown) => {
      throw error instanceof MalformedBody ? new Conflict(`${error.message}: enable it, or name another one`) : error;
    });
  }
  const source = await deps.sources.bySlug(slug);
  if (source?.tenantId === tenantId) return source;
  throw new Invalid("Unknown source", [{ pointer: "?source", detail: "GET /v1/sources lists the slugs" }]);
}

/**
 * Where lines belong that name no source: the tenant's own of that provider, or one that only takes imports.
 * @throws MalformedBody when there is none, and none can be made
 */
export async function importSource(
  { db, ids, sources }: SourceDeps,
  tenantId: string,
  name: string,
  isOwn = false,
): Promise<ActiveSource> {
  const provider = providerNamed(name);
  if (!provider) throw new MalformedBody(`No provider is called ${name}`);
  const slug = `imports-${name}-${tenantId.replaceAll("-", "")}`;
  const id = await db.inTransaction([tenantId], async (tx) => {
    const theirs = isOwn ? null : await sourceOfProvider(tx, tenantId, name);
    if (theirs) return theirs;
    const made = await insertSource(tx, {
      ...{ tenant_id: tenantId, id: ids.next(), slug, provider: name, name: `Imports (${provider.title})`, setup: {} },
      // Without a secret it takes no webhooks.
      ...{ auth: "required", on_given_routes: false, given_routes_create: false, user_id: null },
    });
    return made?.id ?? null;
  });
  if (id !== null) sources.forget();
  const source = id === null ? await sources.bySlug(slug) : await sources.byId(tenantId, id);
  if (!source) throw new MalformedBody(`The source ${slug} is disabled`);
  return source;
}
