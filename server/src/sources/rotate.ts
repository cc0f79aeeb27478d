import type { Tx } from "#/db/transaction.ts";
import { Conflict } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { SecretBox } from "#/kernel/secrets.ts";

import { isActive, type NewSecretOf, sealSecret } from "./secrets.ts";
import { insertSecret, type SecretRow, secretsOf, setSecretExpiry } from "./store.ts";

/** Two may be active at once: the one in use and its successor. More would only widen what an attacker may hold. */
const activeMax = 2;

export type SecretChange = { readonly box: SecretBox; readonly ids: Ids; readonly nowMs: number };

/** Adds a secret beside the one in use. Throws {@link Conflict} when the slot has two already. The caller holds the source's lock. */
export async function addSecret(tx: Tx, secret: NewSecretOf, { box, ids, nowMs }: SecretChange): Promise<SecretRow> {
  const active = await activeOf(tx, secret, nowMs);
  if (active.length >= activeMax)
    throw new Conflict(`The slot ${secret.slot} has ${activeMax} active secrets; remove one first`);
  return insertSecret(tx, sealSecret(box, ids, secret));
}

/** Puts a secret in place; the newest older one goes on counting for `overlapMs`, any other of the slot ends now. */
export async function rotateSecret(
  tx: Tx,
  secret: NewSecretOf,
  overlapMs: number,
  { box, ids, nowMs }: SecretChange,
): Promise<SecretRow> {
  const [newest, ...others] = await activeOf(tx, secret, nowMs);
  const end = nowMs + overlapMs;
  if (newest && (newest.expires_at === null || newest.expires_at.getTime() > end)) {
    await setSecretExpiry(tx, secret.tenantId, [newest.id], new Date(end));
  }
  if (others.length > 0)
    await setSecretExpiry(
      tx,
      secret.tenantId,
      others.map((other) => other.id),
      new Date(nowMs),
    );
  return insertSecret(tx, sealSecret(box, ids, secret));
}

/** The active secrets of a slot, newest first. */
async function activeOf(tx: Tx, { tenantId, sourceId, slot }: NewSecretOf, nowMs: number): Promise<SecretRow[]> {
  const all = await secretsOf(tx, [tenantId], [sourceId]);
  return all.filter((secret) => secret.slot === slot && isActive(secret, nowMs));
}
