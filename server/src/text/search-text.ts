/**
 * A text as it is searched in: without vowel points, accents, direction marks; dashes and maqaf as spaces; geresh and
 * gershayim as ' and "; lower case; Hebrew final letters as the letters they are. A query goes through the same function,
 * so `בית שאן` finds `בֵּית־שְׁאָן`, and a search for a part of a word finds `בית` inside `בבית`.
 */
export function searchText(text: string): string {
  return foldForSearch(text).replace(/\s+/g, " ").trim();
}

/** The same for one word, where white space does not come into it. */
export function foldForSearch(text: string): string {
  if (plainHebrew.test(text)) return isFinal(text.charCodeAt(text.length - 1)) ? withoutFinals(text) : text;
  if (plainAscii.test(text)) return text.toLowerCase().replaceAll("-", " ").replaceAll("`", "'");
  return text
    .normalize("NFKD")
    .replace(/[\p{Mn}\p{Cf}]/gu, "")
    .replace(/\p{Pd}|\u2212/gu, " ")
    .replace(/[\u2018-\u201b\u2032\u02bc\u05f3`]/g, "'")
    .replace(/[\u201c-\u201f\u2033\u05f4\u00ab\u00bb]/g, '"')
    .toLowerCase()
    .replace(/[\p{Mn}\p{Cf}]/gu, "")
    .replace(finals, plain);
}

/** Letters that take no other form within a word, then one of any form: most words of a call in Hebrew. */
const plainHebrew = /^[אבגדהוזחטיכלמנסעפצקרשת]+[א-ת]$/;

function isFinal(code: number): boolean {
  return code === 0x5da || code === 0x5dd || code === 0x5df || code === 0x5e3 || code === 0x5e5;
}

function withoutFinals(text: string): string {
  return text.slice(0, -1) + plain(text.slice(-1));
}

const finals = /[ךםןףץς]/g;

function plain(final: string): string {
  return plainLetter[final] ?? final;
}

const plainAscii = /^[\x20-\x7e]*$/;

const plainLetter: Readonly<Record<string, string>> = { ך: "כ", ם: "מ", ן: "נ", ף: "פ", ץ: "צ", ς: "σ" };
