import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  sign as signWith,
} from "node:crypto";

import type { SigningKind } from "@aftercall/contract/endpoint.ts";

/**
 * What is inside a signing key of Standard Webhooks: a `secret` for HMAC or a `private` Ed25519 key. Made once: signing 3 KB
 * with the bare bytes takes four times as long.
 */
export type SigningKey = KeyObject;

/**
 * The `webhook-signature` header: for each key a `v1` (HMAC-SHA256) or `v1a` (Ed25519) of `id.timestamp.body`, separated by
 * spaces, so that a receiver accepts during a rotation whichever key it has. https://www.standardwebhooks.com
 */
export function sign(id: string, timestampSeconds: number, body: Buffer, keys: readonly SigningKey[]): string {
  const prefix = `${id}.${timestampSeconds}.`;
  return keys
    .map((key) => {
      if (key.type === "secret") return `v1,${createHmac("sha256", key).update(prefix).update(body).digest("base64")}`;
      return `v1a,${signWith(null, Buffer.concat([Buffer.from(prefix), body]), key).toString("base64")}`;
    })
    .join(" ");
}

/**
 * The key inside `whsec_…`, or `whsk_…` (the seed of 32 bytes, alone or with the public key after it).
 * @throws RangeError when the two halves of a `whsk_…` do not belong together.
 */
export function keyOf(secret: string): SigningKey {
  if (!secret.startsWith(prefixes.ed25519)) return createSecretKey(secret.slice(prefixes.hmac.length), "base64");
  const bytes = Buffer.from(secret.slice(prefixes.ed25519.length), "base64");
  const key = createPrivateKey({
    key: Buffer.concat([pkcs8Head, bytes.subarray(0, 32)]),
    format: "der",
    type: "pkcs8",
  });
  if (bytes.length > 32 && !publicBytes(key).equals(bytes.subarray(32))) {
    throw new RangeError("The public half of the key is not that of the private half");
  }
  return key;
}

/** What verifies the signatures of an Ed25519 key: `whpk_…`. Null for a secret, which has no public half. */
export function publicKeyOf(key: SigningKey): string | null {
  return key.type === "secret" ? null : `${publicPrefix}${publicBytes(key).toString("base64")}`;
}

export function kindOf(secret: string): SigningKind {
  return secret.startsWith(prefixes.ed25519) ? "ed25519" : "hmac";
}

/** A new key of 32 random bytes. */
export function newSecret(random: (size: number) => Buffer, kind: SigningKind = "hmac"): string {
  const bytes = random(32);
  if (kind === "hmac") return `${prefixes.hmac}${bytes.toString("base64")}`;
  const key = keyOf(`${prefixes.ed25519}${bytes.toString("base64")}`);
  return `${prefixes.ed25519}${Buffer.concat([bytes, publicBytes(key)]).toString("base64")}`;
}

function publicBytes(key: SigningKey): Buffer {
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
}

const prefixes = { hmac: "whsec_", ed25519: "whsk_" } as const;
const publicPrefix = "whpk_";

/** What PKCS #8 writes before the seed of an Ed25519 key (RFC 8410 §7). */
const pkcs8Head = Buffer.from("302e020100300506032b657004220420", "hex");
