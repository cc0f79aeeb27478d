import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { Conflict } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { networkOf } from "#/kernel/net/addresses.ts";
import { digest } from "#/kernel/secrets.ts";

import { prefixOfKey } from "./keys.ts";
import { addPrivateTargets, removePrivateTargets } from "./operator-store.ts";
import {
  insertKey,
  insertTenant,
  insertUser,
  keyById,
  keyOfDigest,
  reviveKey,
  revokeOthers,
  tenantOfSlug,
} from "./store.ts";

export type BootstrapOptions = {
  readonly db: Db;
  readonly ids: Ids;
  readonly clock: Clock;
  /** AFTERCALL_API_KEY; null: none is made, and one of before goes on counting. */
  readonly apiKey: string | null;
  /** Development: also a user `dev`, whose tokens can be tried out at once. */
  readonly withDevUser: boolean;
  /** AFTERCALL_PRIVATE_TARGETS: what the configuration opens to the default tenant. */
  readonly privateTargets: readonly string[];
};

const bootstrapName = "bootstrap";
const fromConfiguration = "configuration";

/**
 * What has to be there before anybody can ask for anything: the tenant `default` and the operator's key. Every start makes
 * sure of it; a changed AFTERCALL_API_KEY revokes the one before. Answers the tenant's id.
 */
export async function bootstrap(options: BootstrapOptions): Promise<{ tenantId: string }> {
  const tenantId = await ensureTenant(options);
  await options.db.inTransaction([tenantId], async (tx) => {
    if (options.withDevUser) {
      await insertUser(tx, { tenant_id: tenantId, id: options.ids.next(), external_id: "dev", name: "Development" });
    }
    const blocks = options.privateTargets.map(networkOf);
    await removePrivateTargets(tx, tenantId, blocks, fromConfiguration);
    await addPrivateTargets(tx, tenantId, blocks, fromConfiguration);
    if (options.apiKey !== null) await ensureKey(tx, tenantId, options.apiKey, options);
  });
  return { tenantId };
}

async function ensureTenant({ db, ids }: BootstrapOptions): Promise<string> {
  const existing = await db.inTransaction([], (tx) => tenantOfSlug(tx, "default"));
  if (existing) return existing;
  const id = ids.next();
  await db.inTransaction([id], (tx) => insertTenant(tx, { id, slug: "default", name: "Default" }));
  // Another process may have been faster; then its tenant is the one.
  return (await db.inTransaction([], (tx) => tenantOfSlug(tx, "default"))) ?? id;
}

async function ensureKey(tx: Tx, tenantId: string, key: string, { ids, clock }: BootstrapOptions): Promise<void> {
  const keyDigest = digest(key);
  const made = await insertKey(tx, {
    tenant_id: tenantId,
    id: ids.next(),
    digest: keyDigest,
    prefix: prefixOfKey(key),
    name: bootstrapName,
    role: "owner",
    expires_at: null,
  });
  const at = made ?? (await keyOfDigest(tx, keyDigest));
  if (!at || at.tenant_id !== tenantId)
    throw new Conflict("AFTERCALL_API_KEY is a key of another tenant; choose another value");
  const row = await keyById(tx, tenantId, at.id);
  // The operator's environment has the last word on its own key.
  if (row?.name === bootstrapName && (row.revoked_at !== null || row.expires_at !== null))
    await reviveKey(tx, tenantId, at.id);
  await revokeOthers(tx, tenantId, bootstrapName, at.id, new Date(clock.now()));
}
