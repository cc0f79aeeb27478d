import { z } from "zod";

/** Limits of custom headers. */
export const headerLimits = {
  countMax: 50,
  /** Names and values together. */
  bytesMax: 4096,
} as const;

/** What is shown in place of a value that is not shown. */
export const masked = "********";

/** The HTTP client, the body's format, the signature or proxies on the way own these. */
const owned =
  /^(host|connection|keep-alive|content-(length|type|encoding)|transfer-encoding|te|trailer|upgrade|expect|date|user-agent|accept-encoding|via|forwarded|x-forwarded-.*|x-real-ip|proxy-.*|webhook-.*|svix-.*|ce-.*|aftercall-.*)$/i;
/** A name that tells that the value is nobody's business. */
const sensitive = /auth|token|secret|key|password|credential|cookie|signature|session/i;

/** Name of a header (RFC 9110 token) that a tenant may set. Its letters are sent as they are written. */
export const HeaderName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, "A header name is letters, digits and !#$%&'*+.^_`|~-")
  .refine((name) => !owned.test(name), "This header is set by the HTTP client, the signature or a proxy");

/** Visible characters, spaces only inside. */
export const HeaderValue = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, "Visible ASCII characters, spaces only between them")
  .refine((value) => value !== masked, "This is the mask of the value: send the value, or leave the header out");

const Given = z.union([HeaderValue, z.strictObject({ value: HeaderValue, is_sensitive: z.boolean() })], {
  error: "A text, or { value, is_sensitive }",
});

/** A custom header as it is kept. */
export type CustomHeader = { readonly name: string; readonly value: string; readonly is_sensitive: boolean };

/**
 * Headers that are sent with every attempt. A value is not shown again when its name says that it is a secret, or when it is
 * given as `{ "value": "…", "is_sensitive": true }`.
 */
export const Headers = z.record(HeaderName, Given).superRefine(checkNames);
/** Merged into the headers that are there; null takes one away. */
export const HeadersPatch = z.record(HeaderName, Given.nullable()).superRefine(checkNames);

/** The headers after a change, with the first thing that is wrong with them. */
export function mergeHeaders(
  before: readonly CustomHeader[],
  patch: z.output<typeof HeadersPatch>,
): { readonly headers: CustomHeader[]; readonly problem: string | null } {
  const changed = new Set(Object.keys(patch).map((name) => name.toLowerCase()));
  const kept = before.filter(({ name }) => !changed.has(name.toLowerCase()));
  const added = Object.entries(patch).flatMap(([name, given]): CustomHeader[] => {
    if (given === null) return [];
    if (typeof given !== "string") return [{ name, ...given }];
    return [{ name, value: given, is_sensitive: sensitive.test(name) }];
  });
  const headers = [...kept, ...added];
  const bytes = headers.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
  if (headers.length > headerLimits.countMax) return { headers, problem: `At most ${headerLimits.countMax} headers` };
  if (bytes > headerLimits.bytesMax) {
    return { headers, problem: `Names and values together may have ${headerLimits.bytesMax} bytes` };
  }
  return { headers, problem: null };
}

/** As shown: `{ "X-Team": "blue", "X-Api-Key": "********" }`. */
export function showHeaders(headers: readonly CustomHeader[]): Record<string, string> {
  return Object.fromEntries(headers.map(({ name, value, is_sensitive }) => [name, is_sensitive ? masked : value]));
}

function checkNames(headers: Record<string, unknown>, context: z.core.$RefinementCtx): void {
  const seen = new Set<string>();
  for (const name of Object.keys(headers)) {
    if (seen.has(name.toLowerCase())) {
      context.addIssue({
        code: "custom",
        path: [name],
        message: "The same header twice; letters of either case are one",
      });
    }
    seen.add(name.toLowerCase());
    if (name.toLowerCase() === "authorization") {
      context.addIssue({ code: "custom", path: [name], message: "Set auth instead: it keeps the value secret" });
    }
  }
}
