import { createPublicKey, verify } from "node:crypto";

import type { Secret } from "../provider.ts";
import { Refused } from "./check.ts";
import { usable } from "./secret.ts";

/** Every Ed25519 public key in DER starts with these bytes (RFC 8410); the 32 bytes of the key follow. */
const derPrefix = "302a300506032b6570032100";

/**
 * An Ed25519 signature (RFC 8032, base64) over the pieces in a row, by one of the public keys (base64 of 32 bytes).
 * @throws Refused `malformed_header` unless the signature has 64 bytes, `bad_signature`.
 */
export function checkEd25519(given: string, signed: readonly (string | Buffer)[], keys: readonly Secret[]): void {
  const signature = Buffer.from(given, "base64");
  if (signature.length !== 64 || signature.toString("base64") !== given) throw new Refused("malformed_header");
  const message = Buffer.concat(signed.map((piece) => Buffer.from(piece)));
  for (const { value } of usable(keys)) {
    const raw = Buffer.from(value, "base64");
    if (raw.length !== 32) continue;
    const key = createPublicKey({
      key: Buffer.concat([Buffer.from(derPrefix, "hex"), raw]),
      format: "der",
      type: "spki",
    });
    if (verify(null, message, key, signature)) return;
  }
  throw new Refused("bad_signature");
}
