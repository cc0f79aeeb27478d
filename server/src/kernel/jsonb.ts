/**
 * JSON text that PostgreSQL's jsonb accepts. It refuses U+0000 and lone surrogates, which callers and providers do send:
 * in this copy they become U+FFFD; the raw bytes of every event are kept beside it.
 */
export function jsonbText(value: unknown): string {
  const text = JSON.stringify(value);
  // Most texts have no such escape at all, and this search costs next to nothing.
  return text.includes("\\u") && refused.test(text) ? JSON.stringify(cleaned(value)) : text;
}

/** A string that PostgreSQL's text accepts. */
export function cleanText(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", "\uFFFD");
}

/** Also meets a harmless literal backslash followed by "u0000"; cleaning then changes nothing. */
const refused = /\\u0000|\\ud[89a-f]/i;

function cleaned(value: unknown): unknown {
  if (typeof value === "string") return cleanText(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleanText(key), cleaned(inner)]));
  }
  return value;
}
