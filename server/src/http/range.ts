/** What a request for a part of `size` bytes asks for. `from` and `to` are both included. */
export type Range =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly from: number; readonly to: number }
  | { readonly kind: "none" };

/**
 * Reads `Range` (RFC 9110 §14). One range of bytes is answered in part; a form that is not understood, and several ranges, are
 * answered whole, as the RFC allows; a range that begins behind the end is `none` (416).
 */
export function rangeOf(header: string | undefined, size: number): Range {
  const match = /^bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))$/i.exec(header?.trim() ?? "");
  if (!match) return { kind: "whole" };
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return length === 0 ? { kind: "none" } : { kind: "part", from: size - length, to: size - 1 };
  }
  const from = Number(first);
  const to = last ? Math.min(Number(last), size - 1) : size - 1;
  if (last && Number(last) < from) return { kind: "whole" };
  return from >= size ? { kind: "none" } : { kind: "part", from, to };
}

/** Whether a part may be sent: without `If-Range` always, with it only of the very same content (RFC 9110 §13.1.5). */
export function mayBePart(ifRange: string | readonly string[] | undefined, etag: string): boolean {
  return ifRange === undefined || ifRange === etag;
}
