import type { ProviderRequest } from "../provider.ts";
import { Refused } from "./check.ts";

/**
 * The one value of a header that decides about trust.
 * @throws Refused `missing_header` when it is absent or blank, `malformed_header` when it came twice.
 */
export function oneHeader(request: ProviderRequest, name: string): string {
  const value = optionalHeader(request, name);
  if (value === null) throw new Refused("missing_header");
  return value;
}

/** Like {@link oneHeader}, null when absent or blank. Two values are refused: a proxy and we might each believe another one. */
export function optionalHeader(request: ProviderRequest, name: string): string | null {
  const values = request.headers.get(name.toLowerCase()) ?? [];
  if (values.length > 1) throw new Refused("malformed_header");
  return values[0]?.trim() || null;
}

/** `t=1,v0=a,v0=b` as a map from name to its values; blanks around the items are dropped. */
export function fieldsOf(header: string): ReadonlyMap<string, readonly string[]> {
  const fields = new Map<string, string[]>();
  for (const item of header.split(",")) {
    const at = item.indexOf("=");
    if (at < 0) continue;
    const name = item.slice(0, at).trim();
    const values = fields.get(name) ?? [];
    values.push(item.slice(at + 1).trim());
    fields.set(name, values);
  }
  return fields;
}
