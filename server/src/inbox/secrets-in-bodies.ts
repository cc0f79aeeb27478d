/**
 * A stored body as people may see it. Providers put secrets into bodies: tokens of phone accounts, URLs that control or listen
 * to a live call without any further credential, presigned links. They are blanked by name; the stored bytes keep them.
 * Null for bytes that are not text.
 */
export function blankSecrets(body: Buffer): string | null {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return null;
  }
  if (!secretName.test(text)) return text;
  try {
    return JSON.stringify(
      JSON.parse(text, (name, value: unknown) => (isSecret(name) ? blanked(value) : value)),
      null,
      2,
    );
  } catch {
    return text.replace(formField, "$1=[redacted]");
  }
}

const secretName =
  /authToken|apiSecret|apiKey|controlUrl|listenUrl|presigned|turnPassword|secret__|"authorization"|serverUrlSecret|"headers"|password/i;

/** Vapi, LiveKit and ElevenLabs field names that carry credentials. */
function isSecret(name: string): boolean {
  return (
    /(authToken|apiSecret|apiKey|controlUrl|listenUrl|turnPassword|serverUrlSecret|password|credential)$/i.test(name) ||
    /^presigned.*Url$/i.test(name) ||
    name.startsWith("secret__") ||
    name === "authorization" ||
    name === "headers"
  );
}

function blanked(value: unknown): unknown {
  return value === null || value === undefined || value === "" ? value : "[redacted]";
}

const formField = /\b([A-Za-z]*(?:AuthToken|Password|ApiKey))=[^&]*/gi;
