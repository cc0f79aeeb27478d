/**
 * The forms of our public URL that Twilio may have signed: as configured there, without the fragment (`#rc=3`) and the
 * user, and with or without the port, because Twilio's own servers differ. Worked out on the text: a URL parser would
 * re-encode the query (`'` becomes `%27`), and Twilio signs what was typed. (twilio-node `lib/webhooks/webhooks.js`)
 */
export function signedUrls(url: string): readonly string[] {
  const parts = /^(https?|wss?):\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^:/?#]*)(:\d+)?([^#]*)/i.exec(url);
  if (!parts) return [url];
  const [, scheme = "", host = "", port, rest = ""] = parts;
  const usual = scheme.toLowerCase().endsWith("s") ? ":443" : ":80";
  return [`${scheme}://${host}${rest}`, `${scheme}://${host}${port ?? usual}${rest}`];
}

/** The query as received, without the fragment; null when there is none. */
export function queryOf(url: string): URLSearchParams | null {
  const query = /\?([^#]*)/.exec(url)?.[1];
  return query === undefined ? null : new URLSearchParams(query);
}
