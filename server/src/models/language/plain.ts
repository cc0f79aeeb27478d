/**
 * What a model wrote, as text to show: without control characters (terminal escapes), without characters that turn the
 * direction of what follows, and not longer than what a person reads. Never more than text: no HTML, no link.
 */
export function plainText(text: string, lengthMax: number): string {
  const plain = text.replace(unseen, "").replace(/\r\n?/g, "\n").trim();
  return plain.length <= lengthMax ? plain : `${plain.slice(0, lengthMax - 1).trimEnd()}…`;
}

/** The same for a text that may be missing: null when nothing is left. */
export function plainTextOrNull(text: string | null, lengthMax: number): string | null {
  const plain = plainText(text ?? "", lengthMax);
  return plain === "" ? null : plain;
}

/** ANSI sequences whole; control characters but for tab and line breaks; bidi embeddings, overrides and isolates; BOM. */
const unseen = /(?![\t\n\r])\p{Cc}\[[0-9;?]*[ -/]*[@-~]|(?![\t\n\r])\p{Cc}|[\u202a-\u202e\u2066-\u2069\ufeff]/gu;
