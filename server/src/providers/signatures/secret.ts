import { createHash, timingSafeEqual } from "node:crypto";

import type { ProviderRequest, Secret } from "../provider.ts";
import { Refused } from "./check.ts";
import { oneHeader } from "./header.ts";

/**
 * The header holds one of the secrets themselves.
 * @throws Refused `missing_header`, `malformed_header`, `bad_signature`.
 */
export function checkSharedSecret(request: ProviderRequest, header: string, secrets: readonly Secret[]): void {
  if (!isOneOf(oneHeader(request, header), secrets)) throw new Refused("bad_signature");
}

/**
 * The header holds one of the secrets behind a prefix, which senders may leave out.
 * @throws Refused `missing_header`, `malformed_header`, `bad_signature`.
 */
export function checkBearer(
  request: ProviderRequest,
  secrets: readonly Secret[],
  { header = "authorization", prefix = "Bearer " }: { header?: string; prefix?: string } = {},
): void {
  if (!isOneOf(withoutPrefix(oneHeader(request, header), prefix), secrets)) throw new Refused("bad_signature");
}

/** `Bearer abc` → `abc`; the prefix is matched without letter case, as RFC 9110 says of schemes. */
export function withoutPrefix(value: string, prefix: string): string {
  const isThere = prefix !== "" && value.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase();
  return isThere ? value.slice(prefix.length).trimStart() : value;
}

/** The secrets that may decide anything. An empty one, or the word of an unset variable, would let everybody in. */
export function usable(secrets: readonly Secret[], slot?: string): readonly Secret[] {
  return secrets.filter(
    (secret) =>
      (slot === undefined || secret.slot === slot) && !["", "undefined", "null"].includes(secret.value.trim()),
  );
}

/** Compares with every secret, whichever matches: the time taken tells neither which one nor how much of it. */
export function isOneOf(given: string, secrets: readonly Secret[]): boolean {
  const digest = sha256(given);
  let found = false;
  for (const secret of usable(secrets)) found = timingSafeEqual(digest, sha256(secret.value)) || found;
  return found;
}

/** Equal without telling where they differ. For digests and signatures, whose length is no secret. */
export function isSame(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
