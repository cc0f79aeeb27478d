/**
 * Names a request so that it can be sent again without being done again (draft-ietf-httpapi-idempotency-key-header-07).
 * Counts on every POST of /v1, for the credential that sent it and for {@link idempotencyKeepHours}.
 */
export const idempotencyKeyHeader = "Idempotency-Key";

/** `true` on an answer that was given before and is only said again. */
export const idempotencyReplayedHeader = "Idempotency-Replayed";

/** How long a key is remembered, from the answer on. */
export const idempotencyKeepHours = 24;

/** 1 to 255 printable ASCII characters. */
const keyForm = /^[\x20-\x7e]{1,255}$/;

/**
 * The key in a header's value; null when it has not the form of one. The draft writes it as a quoted string (RFC 8941
 * §3.3.3), most clients without the quotes: `"k-1"` and `k-1` are the same key.
 */
export function idempotencyKeyOf(value: string): string | null {
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(value.trim());
  const key = quoted?.[1] === undefined ? value.trim() : quoted[1].replace(/\\(["\\])/g, "$1");
  if (quoted === null && key.startsWith('"')) return null;
  return keyForm.test(key) ? key : null;
}
