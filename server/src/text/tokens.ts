import { foldForSearch } from "./search-text.ts";

/**
 * The words of a text as they are compared with word lists: folded as for searching, with their place in the text. A
 * quotation mark inside a word belongs to it (`צה"ל`, `don't`); a hyphen or maqaf ends it. Scripts that are written without
 * spaces (Han, kana, Thai …) give one token for each character, so that a phrase is a run of tokens in every language.
 */
export function tokensOf(text: string): Token[] {
  return simple.test(text) ? scan(text) : match(text);
}

/** Offsets are UTF-16 units of the text it was found in. */
export type Token = { readonly text: string; readonly start: number; readonly end: number };

/** Latin, Hebrew, general punctuation and currency signs: nearly every call, read without regular expressions. */
const simple = /^[\0-\u024f\u0590-\u05ff\u2000-\u20cf]*$/;

function scan(text: string): Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < text.length;) {
    if (!isLetter(text.charCodeAt(i))) {
      i++;
      continue;
    }
    const start = i;
    i = endOfWord(text, i);
    tokens.push({ text: foldForSearch(text.slice(start, i)), start, end: i });
  }
  return tokens;
}

function endOfWord(text: string, start: number): number {
  let i = start + 1;
  for (;;) {
    const code = text.charCodeAt(i);
    if (isLetter(code) || isMark(code)) i++;
    else if (isQuote(code) && isLetter(text.charCodeAt(i + 1))) i += 2;
    else break;
  }
  return isGeresh(text.charCodeAt(i)) && isHebrewLetter(text.charCodeAt(i - 1)) ? i + 1 : i;
}

function isLetter(code: number): boolean {
  if (code < 0x80)
    return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a);
  if (isHebrewLetter(code)) return true;
  return code >= 0xc0
    ? code < 0x250 && code !== 0xd7 && code !== 0xf7
    : code === 0xaa || code === 0xb5 || code === 0xba;
}

function isHebrewLetter(code: number): boolean {
  return (code >= 0x5d0 && code <= 0x5ea) || (code >= 0x5ef && code <= 0x5f2);
}

/** Vowel points and cantillation (not the punctuation between them), soft hyphen, zero-width and direction marks. */
function isMark(code: number): boolean {
  if (code < 0x590) return code === 0xad;
  if (code < 0x600) return code <= 0x5c7 && code !== 0x5be && code !== 0x5c0 && code !== 0x5c3 && code !== 0x5c6;
  return (code >= 0x200b && code <= 0x200f) || (code >= 0x202a && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f);
}

function isQuote(code: number): boolean {
  return code === 0x27 || code === 0x22 || code === 0x2019 || code === 0x5f3 || code === 0x5f4;
}

function isGeresh(code: number): boolean {
  return code === 0x27 || code === 0x2019 || code === 0x5f3;
}

function match(text: string): Token[] {
  return [...text.matchAll(word)].flatMap(({ 0: found, index }) => {
    const folded = foldForSearch(found);
    return folded ? [{ text: folded, start: index, end: index + found.length }] : [];
  });
}

const unspaced = String.raw`\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}`;
const letter = String.raw`(?:(?![${unspaced}])[\p{L}\p{N}])`;
const marks = String.raw`[\p{M}\p{Cf}]*`;
const hebrewEnd = String.raw`(?:(?<=[\u05d0-\u05ea])['\u2019\u05f3])?`;
const word = new RegExp(
  String.raw`(?=[${unspaced}])\p{L}${marks}|${letter}${marks}(?:['"\u2019\u05f3\u05f4]?${letter}${marks})*${hebrewEnd}`,
  "gu",
);
