import { createHmac, type Hmac } from "node:crypto";

import type { Secret } from "../provider.ts";
import { Refused } from "./check.ts";
import { isSame, usable } from "./secret.ts";

export type HmacPlan = {
  readonly algorithm?: "sha1" | "sha256" | "sha512";
  readonly encoding?: "hex" | "base64";
  /** What is signed, piece by piece: bytes are never copied or decoded. */
  readonly signed: readonly (string | Buffer)[];
  /** How a secret becomes a key; default its UTF-8 bytes. */
  readonly keyOf?: (secret: Secret) => string | Buffer;
};

/**
 * One of the given signatures was made over the signed bytes with one of the secrets. Hex is compared without letter
 * case; base64 must be the very text, because decoders accept many texts for one value.
 * @throws Refused `bad_signature`.
 */
export function checkHmac(given: readonly string[], secrets: readonly Secret[], plan: HmacPlan): void {
  const encoding = plan.encoding ?? "hex";
  const candidates = encoding === "hex" ? given.map((text) => text.toLowerCase()) : given;
  let found = false;
  for (const secret of usable(secrets)) {
    const key = plan.keyOf?.(secret) ?? secret.value;
    if (key.length === 0) continue;
    const expected = sumOf(key, plan.signed, plan.algorithm).digest(encoding);
    for (const candidate of candidates) found = isSame(candidate, expected) || found;
  }
  if (!found) throw new Refused("bad_signature");
}

/** The HMAC of the pieces in a row. */
export function hmac(
  key: string | Buffer,
  signed: readonly (string | Buffer)[],
  algorithm: "sha1" | "sha256" | "sha512" = "sha256",
): Buffer {
  return sumOf(key, signed, algorithm).digest();
}

/** Short texts go in together: each step of a sum costs as much as a kilobyte of it. */
function sumOf(
  key: string | Buffer,
  signed: readonly (string | Buffer)[],
  algorithm: "sha1" | "sha256" | "sha512" = "sha256",
): Hmac {
  const sum = createHmac(algorithm, key);
  let text = "";
  for (const piece of signed) {
    if (typeof piece === "string") {
      text += piece;
      continue;
    }
    if (text !== "") sum.update(text);
    text = "";
    sum.update(piece);
  }
  return text === "" ? sum : sum.update(text);
}
