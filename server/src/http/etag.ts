import { createHash } from "node:crypto";

/** A strong ETag (RFC 9110 §8.8.3): the same bytes have the same one, everywhere and for ever. */
export function etagOf(body: string): string {
  return `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
}

/**
 * Whether a list of ETags (If-Match, If-None-Match) names this one; null without the header. `*` names whatever is there.
 * `weak`: `W/` before a tag does not count, as If-None-Match wants it.
 */
export function names(values: readonly string[], etag: string, weak = false): boolean | null {
  if (values.length === 0) return null;
  const tags = values
    .join(",")
    .split(",")
    .map((tag) => tag.trim());
  return tags.some((tag) => tag === "*" || (weak ? tag.replace(/^W\//, "") : tag) === etag);
}
