import { endpointLimits, type RotateEndpointSecret, type SigningKind } from "@aftercall/contract/endpoint.ts";
import type { z } from "zod";

import type { Tx } from "#/db/transaction.ts";
import { Conflict } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { Random } from "#/kernel/random.ts";
import type { SecretBox } from "#/kernel/secrets.ts";

import { kindOf, newSecret, publicKeyOf } from "../sign.ts";
import * as store from "./secret-store.ts";
import { openSecret, sealSecret } from "./secrets.ts";

export type KeyDeps = { readonly box: SecretBox; readonly ids: Ids; readonly random: Random };

/** A signing key that signs now. */
export type ShownKey = {
  readonly secret: string;
  readonly public_key: string | null;
  readonly created_at: string;
  readonly expires_at: string | null;
};

/** Keys that sign now, newest first. */
export async function activeKeys(tx: Tx, { box }: KeyDeps, tenant: string, endpointId: string): Promise<ShownKey[]> {
  const rows = await store.listSecrets(tx, tenant, endpointId);
  return rows.map((row) => {
    const { text, key } = openSecret(box, { ...row, tenant_id: tenant });
    return {
      secret: text,
      public_key: publicKeyOf(key),
      created_at: row.created_at.toISOString(),
      expires_at: row.expires_at?.toISOString() ?? null,
    };
  });
}

/** The first key of an endpoint; made when none is brought along. */
export async function addFirstKey(
  tx: Tx,
  deps: KeyDeps,
  {
    tenant,
    endpointId,
    secret,
    signing,
  }: { tenant: string; endpointId: string; secret?: string; signing: SigningKind },
): Promise<string> {
  const value = secret ?? newSecret(deps.random, signing);
  await store.insertSecret(tx, endpointId, sealSecret(deps.box, deps.ids, tenant, value));
  return value;
}

/**
 * Puts a new key in place; those before sign beside it until their grace ends.
 * @throws Conflict when as many keys sign already as may at once.
 */
export async function rotateKey(
  tx: Tx,
  deps: KeyDeps,
  { tenant, endpointId, body }: { tenant: string; endpointId: string; body: z.output<typeof RotateEndpointSecret> },
): Promise<void> {
  const [newest] = await store.listSecrets(tx, tenant, endpointId);
  const kind = newest ? kindOf(openSecret(deps.box, { ...newest, tenant_id: tenant }).text) : "hmac";
  await store.expireSecrets(tx, tenant, endpointId, body.grace_seconds);
  const left = await store.listSecrets(tx, tenant, endpointId);
  if (left.length >= endpointLimits.signingKeysMax) {
    throw new Conflict(
      `${endpointLimits.signingKeysMax} keys sign already: wait for one to end, or rotate with a grace of 0`,
    );
  }
  const secret = body.secret ?? newSecret(deps.random, body.signing ?? kind);
  await store.insertSecret(tx, endpointId, sealSecret(deps.box, deps.ids, tenant, secret));
}
