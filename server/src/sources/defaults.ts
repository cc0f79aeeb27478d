import type { Db, Tx } from "#/db/transaction.ts";
import { notify } from "#/db/wake.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { Log } from "#/kernel/log.ts";
import { digest, type SecretBox } from "#/kernel/secrets.ts";
import type { Provider, SecretSlot } from "#/providers/provider.ts";

import { sourcesChanged } from "./active.ts";
import { isActive, sealSecret } from "./secrets.ts";
import {
  insertSecret,
  insertSource,
  lockDefaults,
  saveSource,
  type SecretRow,
  secretsOf,
  setSecretExpiry,
  sourceOfSlug,
  type SourceRow,
  sourcesById,
} from "./store.ts";

export type DefaultsOptions = {
  readonly db: Db;
  readonly box: SecretBox;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly providers: readonly Provider[];
  readonly tenantId: string;
  /** Value of an environment variable that a provider's secret slot names; null where it is not set. */
  readonly valueOf: (variable: string) => string | null;
  /** Providers whose default source takes unsigned requests. */
  readonly unsigned: readonly string[];
  /** Settings of default sources that come from configuration, by provider. */
  readonly setups?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

/** How long a secret that was replaced in the environment goes on counting: requests signed before the change still come. */
const overlapMs = 24 * 3_600_000;

/**
 * Every provider has a source under its own name from the first start on, with the secrets the environment names. The
 * environment rules these sources: a changed secret is rotated, a name taken off the unsigned list needs a signature again.
 */
export async function ensureDefaultSources(options: DefaultsOptions): Promise<void> {
  await options.db.inTransaction([options.tenantId], async (tx) => {
    await lockDefaults(tx);
    let isChanged = false;
    for (const provider of options.providers) {
      const source = await ensureSource(tx, provider, options);
      if (!source) {
        options.log.warn({ source: provider.name }, "default source belongs to another tenant");
        continue;
      }
      if (source.isChanged) isChanged = true;
      const secrets = await secretsOf(tx, [options.tenantId], [source.row.id]);
      for (const slot of provider.secrets) {
        const rotated = await ensureSecret(
          tx,
          source.row,
          slot,
          secrets.filter((secret) => secret.slot === slot.slot),
          options,
        );
        if (rotated) isChanged = true;
      }
    }
    if (isChanged) await notify(tx, sourcesChanged);
  });
}

async function ensureSource(
  tx: Tx,
  provider: Provider,
  options: DefaultsOptions,
): Promise<{ row: SourceRow; isChanged: boolean } | null> {
  const auth = options.unsigned.includes(provider.name) ? "none" : "required";
  const setup = options.setups?.[provider.name];
  const key = await sourceOfSlug(tx, provider.name);
  if (!key) {
    const row = await insertSource(tx, {
      tenant_id: options.tenantId,
      id: options.ids.next(),
      slug: provider.name,
      provider: provider.name,
      name: provider.title,
      setup: { ...setup },
      auth,
      on_given_routes: true,
      given_routes_create: false,
      user_id: null,
    });
    return row && { row, isChanged: true };
  }
  const [row] = await sourcesById(tx, [options.tenantId], [key.id]);
  if (!row) return null;
  const wanted = { ...row, auth, setup: { ...row.setup, ...setup } } as const;
  if (row.auth === auth && JSON.stringify(row.setup) === JSON.stringify(wanted.setup)) return { row, isChanged: false };
  const saved = await saveSource(tx, wanted);
  return saved && { row: saved, isChanged: true };
}

/** True when something was changed. `held` are the stored secrets of the slot. */
async function ensureSecret(
  tx: Tx,
  source: SourceRow,
  slot: SecretSlot,
  held: readonly SecretRow[],
  options: DefaultsOptions,
): Promise<boolean> {
  const now = options.clock.now();
  const value = firstSet(slot.env, options.valueOf);
  const keyId = slot.keyIdEnv === undefined ? null : options.valueOf(slot.keyIdEnv);
  const fromEnvironment = held.filter((secret) => secret.origin === "environment");
  const current =
    value === null
      ? undefined
      : fromEnvironment.find((secret) => secret.digest.equals(digest(value)) && secret.key_id === keyId);

  const outdated = fromEnvironment
    .filter((secret) => secret !== current && secret.expires_at === null)
    .map((secret) => secret.id);
  if (outdated.length > 0) await setSecretExpiry(tx, source.tenant_id, outdated, new Date(now + overlapMs));

  if (value === null || (current && current.expires_at === null)) return outdated.length > 0;
  if (current && isActive(current, now)) {
    await setSecretExpiry(tx, source.tenant_id, [current.id], null);
    return true;
  }
  const { tenant_id: tenantId, id: sourceId } = source;
  await insertSecret(
    tx,
    sealSecret(options.box, options.ids, { tenantId, sourceId, slot: slot.slot, keyId, value, origin: "environment" }),
  );
  return true;
}

function firstSet(variables: readonly string[], valueOf: (variable: string) => string | null): string | null {
  for (const variable of variables) {
    const value = valueOf(variable);
    if (value !== null && value !== "") return value;
  }
  return null;
}
