/**
 * A text as quotes are compared in: without direction marks, zero-width characters, vowel points and accents written as
 * marks of their own; hyphens, dashes and maqaf as spaces; quotation marks, geresh and gershayim as ' and "; lower case;
 * white space collapsed; punctuation trimmed from both edges.
 *
 * `at[i]` is where the i-th UTF-16 unit of the result begins in the original; `at[length]` is where its last one ends.
 */
export function normaliseForQuotes(text: string): NormalisedText {
  const out = new Draft(text.length);
  for (let i = 0; i < text.length;) i = append(out, text, i);
  return out.trimmed();
}

export type NormalisedText = { readonly text: string; readonly at: Uint32Array };

/** The part of the original that the units `start` to `end` of the normalised text come from. */
export function originalRange({ at }: NormalisedText, start: number, end: number): { start: number; end: number } {
  const last = at[end - 1] ?? 0;
  let after = end;
  // One original character can give several units (ﬁ → fi): its end is where the next one begins.
  while (after < at.length - 1 && at[after] === last) after++;
  return { start: at[start] ?? 0, end: at[after] ?? last };
}

/** Appends what the character at `i` becomes, with the marks on it; returns where the next one begins. */
function append(out: Draft, text: string, i: number): number {
  const code = text.charCodeAt(i);
  if (code < 0x80 && !combinesBack(text.charCodeAt(i + 1))) {
    out.plain(code, i);
    return i + 1;
  }
  // Hebrew letters never melt with the points on them, so letter and points can be seen one by one.
  if (code >= 0x5d0 && code <= 0x5ea) {
    out.push(code, i);
    return i + 1;
  }
  cluster.lastIndex = i;
  const whole = cluster.exec(text)?.[0] ?? text.charAt(i);
  const folded = fold(whole);
  for (let k = 0; k < folded.length; k++) out.plain(folded.charCodeAt(k), i);
  // Marks alone say nothing; they belong to what stands before them.
  return i + whole.length;
}

/** True where the next unit could melt with the one before it: a mark, but not a Hebrew one. NaN is the end of the text. */
function combinesBack(next: number): boolean {
  return next >= 0x300 && !(next >= 0x590 && next < 0x600);
}

/** A character with everything that NFKC could melt into it: marks, Hangul vowels and finals, half-width voicing. */
const cluster = /[\s\S][\p{M}\u1160-\u11ff\uff9e\uff9f]*/uy;
const invisible = /[\p{Cf}\p{Mn}]/gu;
const dashes = /\p{Pd}|\u2212/gu;
const singleQuotes = /[\u2018-\u201b\u2032\u02bc\u05f3`]/g;
const doubleQuotes = /[\u201c-\u201f\u2033\u05f4\u00ab\u00bb]/g;

function fold(cluster: string): string {
  return cluster
    .normalize("NFKC")
    .replace(invisible, "")
    .replace(dashes, " ")
    .replace(singleQuotes, "'")
    .replace(doubleQuotes, '"')
    .toLowerCase()
    .replace(invisible, "")
    .replaceAll("ς", "σ");
}

const space = 0x20;
const hyphen = 0x2d;
const backtick = 0x60;
const apostrophe = 0x27;

/** The normalised text while it grows; one unit of code for each unit of the original in all but rare cases. */
class Draft {
  #units: Uint16Array;
  #at: Uint32Array;
  #length = 0;
  readonly #end: number;

  constructor(length: number) {
    this.#units = new Uint16Array(length + 16);
    this.#at = new Uint32Array(length + 17);
    this.#end = length;
  }

  /** A unit that may still be upper case, white space or a hyphen. */
  plain(code: number, from: number): void {
    if (code >= 0x41 && code <= 0x5a) this.push(code + 0x20, from);
    else if (code === hyphen || isSpace(code)) this.#space(from);
    else this.push(code === backtick ? apostrophe : code, from);
  }

  push(code: number, from: number): void {
    if (this.#length === this.#units.length) this.#grow();
    this.#units[this.#length] = code;
    this.#at[this.#length] = from;
    this.#length++;
  }

  #space(from: number): void {
    if (this.#length > 0 && this.#units[this.#length - 1] !== space) this.push(space, from);
  }

  #grow(): void {
    const units = new Uint16Array(this.#length * 2);
    units.set(this.#units);
    const at = new Uint32Array(this.#length * 2 + 1);
    at.set(this.#at);
    this.#units = units;
    this.#at = at;
  }

  trimmed(): NormalisedText {
    const text = decode(this.#units.subarray(0, this.#length));
    const start = leadingEdge.exec(text)?.[0].length ?? 0;
    let end = text.length;
    while (end > start && isEdge(text, end)) end--;
    const at = this.#at.slice(start, end + 1);
    if (end === this.#length) at[end - start] = this.#end;
    return { text: text.slice(start, end), at };
  }
}

const leadingEdge = /^[\p{P}\s]+/u;
const edge = /[\p{P}\s]/u;

function isEdge(text: string, end: number): boolean {
  return edge.test(text.charAt(end - 1));
}

function isSpace(code: number): boolean {
  return (
    code === space ||
    (code >= 0x09 && code <= 0x0d) ||
    code === 0x85 ||
    code === 0xa0 ||
    code === 0x2028 ||
    code === 0x2029
  );
}

function decode(units: Uint16Array): string {
  let text = "";
  for (let i = 0; i < units.length; i += 8192) text += String.fromCharCode(...units.subarray(i, i + 8192));
  return text;
}
