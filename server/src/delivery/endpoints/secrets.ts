import { createSecretKey, type KeyObject } from "node:crypto";

import type { EndpointAuth } from "@aftercall/contract/endpoint.ts";
import type { CustomHeader } from "@aftercall/contract/endpoint/headers.ts";

import type { Ids } from "#/kernel/ids.ts";
import type { SecretBox } from "#/kernel/secrets.ts";

import { keyOf, type SigningKey } from "../sign.ts";

export type SecretRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly sealed: Buffer;
};

/** A signing key as it is stored: sealed to its own row. */
export function sealSecret(box: SecretBox, ids: Ids, tenantId: string, secret: string): SecretRow {
  const id = ids.next();
  return { tenant_id: tenantId, id, sealed: box.seal(Buffer.from(secret), placeOf(tenantId, id)) };
}

export function openSecret(box: SecretBox, row: SecretRow): { readonly text: string; readonly key: SigningKey } {
  const text = box.open(row.sealed, placeOf(row.tenant_id, row.id)).toString("utf8");
  return { text, key: keyOf(text) };
}

/** A text as a key, the way systems use it that never decode it. */
export function textKeyOf(text: string): KeyObject {
  return createSecretKey(text, "utf8");
}

/** What an endpoint keeps secret besides its signing keys. */
export type Sealed = {
  readonly sealed_signature_secret: Buffer | null;
  readonly sealed_headers: Buffer | null;
  readonly sealed_auth: Buffer | null;
};
export type Opened = {
  readonly signatureSecret: string | null;
  readonly headers: readonly CustomHeader[];
  readonly auth: EndpointAuth | null;
};
type Owner = { readonly tenant_id: string; readonly id: string };

/** Each value is sealed to its row and column, so that none can be moved to another endpoint. */
export function sealSettings(box: SecretBox, owner: Owner, opened: Opened): Sealed {
  const { signatureSecret, headers, auth } = opened;
  return {
    sealed_signature_secret: sealIn(box, owner, "sealed_signature_secret", signatureSecret),
    sealed_headers: sealIn(box, owner, "sealed_headers", headers.length === 0 ? null : headers),
    sealed_auth: sealIn(box, owner, "sealed_auth", auth),
  };
}

/** What was sealed was checked before: it is the type it was. */
export function openSettings(box: SecretBox, row: Owner & Sealed): Opened {
  return {
    signatureSecret: openIn(box, row, "sealed_signature_secret") as string | null,
    headers: (openIn(box, row, "sealed_headers") as CustomHeader[] | null) ?? [],
    auth: openIn(box, row, "sealed_auth") as EndpointAuth | null,
  };
}

function sealIn(box: SecretBox, owner: Owner, column: keyof Sealed, value: unknown): Buffer | null {
  return value === null ? null : box.seal(Buffer.from(JSON.stringify(value)), settingPlace(owner, column));
}

function openIn(box: SecretBox, row: Owner & Sealed, column: keyof Sealed): unknown {
  const sealed = row[column];
  return sealed === null ? null : JSON.parse(box.open(sealed, settingPlace(row, column)).toString("utf8"));
}

function settingPlace({ tenant_id: tenant, id: row }: Owner, column: keyof Sealed) {
  return { tenant, table: "endpoints", row, column };
}

function placeOf(tenant: string, row: string) {
  return { tenant, table: "endpoint_secrets", row, column: "sealed" };
}
