import type { Db } from "#/db/transaction.ts";
import type { Wake } from "#/db/wake.ts";
import type { Clock } from "#/kernel/clock.ts";
import { Unavailable } from "#/kernel/errors.ts";
import type { Log } from "#/kernel/log.ts";
import type { SecretBox } from "#/kernel/secrets.ts";
import type { Provider, Secret } from "#/providers/provider.ts";

import { createCache } from "./cache.ts";
import { isActive, openSecret } from "./secrets.ts";
import { secretsOf, sourceOfSlug, type SourceRow, sourcesById, sourcesOnGivenRoutes } from "./store.ts";

/** A source as the inbox needs it: with its provider, its settings as the provider reads them, and the secrets that count now. */
export type ActiveSource = {
  readonly tenantId: string;
  readonly id: string;
  readonly slug: string;
  readonly provider: Provider;
  /** Parsed by the provider's schema. */
  readonly setup: unknown;
  /** `required` without a secret refuses everything. */
  readonly auth: "required" | "none";
  readonly secrets: readonly Secret[];
  /** Whether an event for an unknown call on a given route creates the call. */
  readonly givenRoutesCreate: boolean;
  readonly userId: string | null;
};

export type Sources = {
  /** The enabled source behind `/webhooks/:slug`; null when there is none. */
  bySlug(slug: string): Promise<ActiveSource | null>;
  /** The enabled sources that take part on a provider's given routes, oldest first. */
  forGivenRoute(provider: string): Promise<readonly ActiveSource[]>;
  /** One source of a tenant, also a disabled one (replay); null when there is none. */
  byId(tenantId: string, id: string): Promise<ActiveSource | null>;
  /** Forgets everything: the next question asks the database. */
  forget(): void;
};

export type SourcesOptions = {
  readonly db: Db;
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly log: Log;
  readonly providers: readonly Provider[];
  /** Tells when some process changed a source; without it a change is seen when the cache runs out. */
  readonly wake: Pick<Wake, "on"> | null;
};

/** The channel on which a changed source is announced. */
export const sourcesChanged = "sources";

/** Longest time for which a change made elsewhere may go unseen, should its notification be lost. */
const cacheMs = 5_000;

const slugForm = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** Reads sources for the hot path: from memory where it can, opened secrets never anywhere else. */
export function createSources(options: SourcesOptions): Sources {
  const { db, box, clock, log } = options;
  const providers = new Map(options.providers.map((provider) => [provider.name, provider]));
  const cache = createCache<readonly Held[]>({ clock, ttlMs: cacheMs, entriesMax: 10_000 });
  options.wake?.on(sourcesChanged, () => cache.clear());

  return {
    async bySlug(slug) {
      if (!slugForm.test(slug)) return null;
      const [held] = await cache.get(`slug ${slug}`, async () => {
        const key = await db.inTransaction([], (tx) => sourceOfSlug(tx, slug));
        return key ? load([key]) : [];
      });
      return held?.isEnabled ? usable(held) : null;
    },
    async forGivenRoute(provider) {
      const all = await cache.get(`given ${provider}`, async () =>
        load(await db.inTransaction([], (tx) => sourcesOnGivenRoutes(tx, provider))),
      );
      const now = clock.now();
      return all.filter((held) => held.isEnabled && held.problem === null).map((held) => activeAt(held, now));
    },
    async byId(tenantId, id) {
      const [held] = await cache.get(`id ${tenantId} ${id}`, () => load([{ tenant_id: tenantId, id }]));
      return held ? usable(held) : null;
    },
    forget: () => cache.clear(),
  };

  async function load(keys: readonly { tenant_id: string; id: string }[]): Promise<readonly Held[]> {
    if (keys.length === 0) return [];
    const tenants = [...new Set(keys.map((key) => key.tenant_id))];
    const ids = keys.map((key) => key.id);
    return db.inTransaction(tenants, async (tx) => {
      const rows = await sourcesById(tx, tenants, ids);
      const secrets = await secretsOf(tx, tenants, ids);
      return rows.flatMap((row) => {
        const provider = providers.get(row.provider);
        if (!provider) {
          log.error({ source: row.slug, provider: row.provider }, "source of an unknown provider");
          return [];
        }
        const own = secrets.filter((secret) => secret.source_id === row.id);
        return [
          hold(
            row,
            provider,
            own.map((secret) => ({ secret: openSecret(box, secret), expires_at: secret.expires_at })),
          ),
        ];
      });
    });
  }

  function hold(row: SourceRow, provider: Provider, secrets: Held["secrets"]): Held {
    const setup = provider.setup.safeParse(row.setup);
    if (!setup.success)
      log.error({ source: row.slug, provider: row.provider }, "setup of a source does not fit its provider");
    const source: ActiveSource = {
      tenantId: row.tenant_id,
      id: row.id,
      slug: row.slug,
      provider,
      setup: setup.data,
      auth: row.auth,
      secrets: secrets.map(({ secret }) => secret),
      givenRoutesCreate: row.given_routes_create,
      userId: row.user_id,
    };
    return {
      source,
      secrets,
      canExpire: secrets.some(({ expires_at }) => expires_at !== null),
      isEnabled: row.is_enabled,
      problem: setup.success ? null : "The setup of this source does not fit its provider; save it again",
    };
  }

  /** A source that we broke must not look like one that is gone: the sender should come again. */
  function usable(held: Held): ActiveSource {
    if (held.problem !== null) throw new Unavailable(held.problem);
    return activeAt(held, clock.now());
  }
}

type Held = {
  /** With all secrets, expired ones included. */
  readonly source: ActiveSource;
  readonly secrets: readonly { readonly secret: Secret; readonly expires_at: Date | null }[];
  readonly canExpire: boolean;
  readonly isEnabled: boolean;
  readonly problem: string | null;
};

function activeAt(held: Held, nowMs: number): ActiveSource {
  if (!held.canExpire) return held.source;
  return {
    ...held.source,
    secrets: held.secrets.filter((entry) => isActive(entry, nowMs)).map(({ secret }) => secret),
  };
}
