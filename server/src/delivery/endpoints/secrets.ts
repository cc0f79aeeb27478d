import type { Ids } from "#/kernel/ids.ts";
import type { SecretBox } from "#/kernel/secrets.ts";

import { keyOf, type SigningKey } from "../sign.ts";

export type SecretRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly sealed: Buffer;
};

/** A signing secret as it is stored: sealed to its own row. */
export function sealSecret(box: SecretBox, ids: Ids, tenantId: string, secret: string): SecretRow {
  const id = ids.next();
  return { tenant_id: tenantId, id, sealed: box.seal(Buffer.from(secret), placeOf(tenantId, id)) };
}

export function openSecret(box: SecretBox, row: SecretRow): { readonly text: string; readonly key: SigningKey } {
  const text = box.open(row.sealed, placeOf(row.tenant_id, row.id)).toString("utf8");
  return { text, key: keyOf(text) };
}

function placeOf(tenant: string, row: string) {
  return { tenant, table: "endpoint_secrets", row, column: "sealed" };
}
