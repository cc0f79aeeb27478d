import type { Ids } from "#/kernel/ids.ts";
import { digest, type SecretBox } from "#/kernel/secrets.ts";
import type { Secret } from "#/providers/provider.ts";

import type { SecretRow } from "./store.ts";

export type NewSecretOf = {
  readonly tenantId: string;
  readonly sourceId: string;
  readonly slot: string;
  readonly keyId: string | null;
  readonly value: string;
  readonly origin: SecretRow["origin"];
};

/** A secret as it is stored: sealed to its own row, so that it opens nowhere else. */
export function sealSecret(box: SecretBox, ids: Ids, secret: NewSecretOf): Omit<SecretRow, "created_at"> {
  const id = ids.next();
  return {
    tenant_id: secret.tenantId,
    id,
    source_id: secret.sourceId,
    slot: secret.slot,
    key_id: secret.keyId,
    sealed: box.seal(Buffer.from(secret.value), placeOf(secret.tenantId, id)),
    digest: digest(secret.value),
    hint: hintOf(secret.value),
    origin: secret.origin,
    expires_at: null,
  };
}

export function openSecret(box: SecretBox, row: SecretRow): Secret {
  const value = box.open(row.sealed, placeOf(row.tenant_id, row.id)).toString("utf8");
  return { slot: row.slot, keyId: row.key_id, value };
}

export function isActive(row: Pick<SecretRow, "expires_at">, nowMs: number): boolean {
  return row.expires_at === null || row.expires_at.getTime() > nowMs;
}

/** The last four characters, of secrets long enough to spare them. */
function hintOf(value: string): string {
  return value.length >= 16 ? value.slice(-4) : "";
}

function placeOf(tenant: string, row: string) {
  return { tenant, table: "source_secrets", row, column: "sealed" };
}
