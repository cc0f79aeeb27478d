/**
 * The `traceparent` of a request (W3C Trace Context §3.2), in version 00; null where there is none, where it has not that form,
 * and where there are several: then nobody knows which one holds. A later version is read as far as 00 goes.
 */
export function readTraceparent(values: readonly string[]): string | null {
  const [value, ...more] = values;
  const parts = value === undefined || more.length > 0 ? null : form.exec(value);
  const [, version = "", ids = "", flags = "", rest = ""] = parts ?? [];
  if (!parts || version === "ff" || (version === "00" && rest !== "") || /^0{32}|0{16}$/.test(ids)) return null;
  return `00-${ids}-${flags}`;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32}-[0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
