/**
 * A folded Hebrew word without the small words that are written onto its front (and, the, in, as, to, from, that): with
 * one letter less, then with two. Whether what remains is a word only a list can tell: `בבית` is "in a house", `לוד` is a
 * city, so callers take a form only where they know it.
 */
export function withoutHebrewPrefixes(word: string): string[] {
  if (!prefix.has(word.charCodeAt(0)) || word.length < 3) return [];
  const once = word.slice(1);
  return word.length > 3 && isPair(word) ? [once, word.slice(2)] : [once];
}

/** Only some stand before another: `וב`, `שה`, `כש` and `מה` begin words, `המ` and `בל` do not. */
function isPair(word: string): boolean {
  if (!prefix.has(word.charCodeAt(1))) return false;
  return joins.has(word.charCodeAt(0)) || /^(?:כש|מה|מש|לכ|בה|לה)/.test(word);
}

/**
 * A folded Hebrew word as it is counted when sentences are compared: without one or two letters from its front when it is
 * long enough to survive that. Wrong for some words, and harmless there: it never leaves the comparison.
 */
export function hebrewStem(word: string): string {
  if (word.length <= 4 || !isHebrew(word) || !prefix.has(word.charCodeAt(0))) return word;
  return word.slice(word.length > 5 && isPair(word) ? 2 : 1);
}

export function isHebrew(word: string): boolean {
  const code = word.charCodeAt(0);
  return code >= 0x5d0 && code <= 0x5ea;
}

const prefix: ReadonlySet<number> = new Set(Array.from("והבכלמש", (letter) => letter.charCodeAt(0)));
/** The two that stand before another prefix: and, that. */
const joins: ReadonlySet<number> = new Set(Array.from("וש", (letter) => letter.charCodeAt(0)));
