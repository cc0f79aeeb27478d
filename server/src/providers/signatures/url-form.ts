/**
 * What Twilio signs: the URL, then every form field as key and value, keys sorted by code unit; of a key that comes
 * several times its distinct values, sorted. (twilio-node `lib/webhooks/webhooks.js`)
 */
export function urlAndForm(url: string, fields: Iterable<readonly [string, string]>): string {
  const values = new Map<string, Set<string>>();
  for (const [key, value] of fields) values.set(key, (values.get(key) ?? new Set()).add(value));
  const keys = [...values.keys()].toSorted(byCodeUnit);
  return (
    url +
    keys
      .map((key) =>
        [...(values.get(key) ?? [])]
          .toSorted(byCodeUnit)
          .map((v) => key + v)
          .join(""),
      )
      .join("")
  );
}

function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
