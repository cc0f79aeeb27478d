/** Headers that may carry a secret: their presence is kept, their value is not. */
const secretHeaders = new Set([
  "authorization",
  "authorize",
  "cookie",
  "proxy-authorization",
  "x-api-key",
  "x-webhook-secret",
  "x-vapi-secret",
]);

/** The headers of a request as the log keeps them: all of them, with secrets blanked. */
export function keptHeaders(headers: ReadonlyMap<string, readonly string[]>): Record<string, readonly string[]> {
  return Object.fromEntries(
    [...headers].map(([name, values]) => [name, looksSecret(name) ? values.map(() => "[redacted]") : values]),
  );
}

/** Signatures are kept: they prove what was received, and give no power to sign anything else. */
function looksSecret(name: string): boolean {
  return (
    secretHeaders.has(name) || (name.includes("secret") && !name.includes("signature")) || /^x-.*-token$/.test(name)
  );
}
