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
  if (plainAscii.test(text)) return text.toLowerCase().replaceAll("-", " ").replaceAll("`", "'");
  return text
    .normalize("NFKD")
    .replace(/[\p{Mn}\p{Cf}]/gu, "")
    .replace(/\p{Pd}|\u2212/gu, " ")
    .replace(/[\u2018-\u201b\u2032\u02bc\u05f3`]/g, "'")
    .replace(/[\u201c-\u201f\u2033\u05f4\u00ab\u00bb]/g, '"')
    .toLowerCase()
    .replace(/[\p{Mn}\p{Cf}]/gu, "")
    .replace(/[ךםןףץς]/g, (final) => plainLetter[final] ?? final);
}

const plainAscii = /^[\x20-\x7e]*$/;

const plainLetter: Readonly<Record<string, string>> = { ך: "כ", ם: "מ", ן: "נ", ף: "פ", ץ: "צ", ς: "σ" };
