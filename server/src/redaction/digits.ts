/** Digits that stand together in a text, written or spoken, as one number: "4580 oh three one two" → `45800312`. */
export type DigitRun = {
  readonly digits: string;
  readonly parts: readonly DigitPart[];
  /** At least one of the digits was a word: speech-to-text that spells numbers out. */
  readonly isSpoken: boolean;
};

export type DigitPart = { readonly start: number; readonly end: number; readonly digits: string };

/** Longest run that is looked at; nothing that is searched for has more digits. */
const runDigitsMax = 64;

/**
 * Every run of digits in a text. Between two of a run only spaces and separators may stand; "double five" is two fives. Runs are
 * joined across words because speech-to-text cuts a card number as it was spoken.
 */
export function digitRuns(text: string): DigitRun[] {
  const runs: DigitPart[][] = [];
  let run: DigitPart[] = [];
  let repeat = 1;
  let end = 0;
  for (const match of text.matchAll(/\p{Nd}+|\p{L}[\p{L}\p{M}'׳]*/gu)) {
    const word = match[0];
    const joins = run.length === 0 || /^[\s\-–—.,/()־]*$/u.test(text.slice(end, match.index));
    const times = repeats.get(word.toLowerCase());
    if (times !== undefined) {
      repeat = times;
      if (!joins) run = closed(runs, run);
      end = match.index + word.length;
      continue;
    }
    const digits = digitsOf(word);
    if (digits === null) {
      // "and" between digits joins them: "four five and six".
      if (!joins || !fillers.has(word.toLowerCase())) run = closed(runs, run);
      else end = match.index + word.length;
      repeat = 1;
      continue;
    }
    if (!joins) run = closed(runs, run);
    run.push({ start: match.index, end: match.index + word.length, digits: digits.repeat(repeat) });
    repeat = 1;
    end = match.index + word.length;
  }
  closed(runs, run);
  return runs.map((parts) => ({
    parts,
    digits: parts.map(({ digits }) => digits).join(""),
    isSpoken: parts.some(({ start }) => /\p{L}/u.test(text.charAt(start))),
  }));
}

/**
 * Stretches of a run, cut where its parts meet, that hold from `min` to `max` digits and are what `is` says; the longest first,
 * without overlaps.
 */
export function stretchesOf(
  run: DigitRun,
  { min, max, is }: { readonly min: number; readonly max: number; readonly is: (digits: string) => boolean },
): { readonly start: number; readonly end: number; readonly digits: string }[] {
  const found: { start: number; end: number; digits: string }[] = [];
  const { parts } = run;
  for (let from = 0; from < parts.length;) {
    const hit = longestFrom(parts, from, { min, max, is });
    if (hit) found.push(hit.stretch);
    from = hit ? hit.next : from + 1;
  }
  return found;
}

function longestFrom(
  parts: readonly DigitPart[],
  from: number,
  { min, max, is }: { readonly min: number; readonly max: number; readonly is: (digits: string) => boolean },
) {
  let digits = "";
  let best = null;
  for (let to = from; to < parts.length && digits.length <= max; to++) {
    const part = parts[to];
    const first = parts[from];
    if (!part || !first) break;
    digits += part.digits;
    if (digits.length >= min && digits.length <= max && is(digits)) {
      best = { stretch: { start: first.start, end: part.end, digits }, next: to + 1 };
    }
  }
  return best;
}

function closed(runs: DigitPart[][], run: DigitPart[]): DigitPart[] {
  if (run.length > 0) runs.push(run.slice(0, runDigitsMax));
  return [];
}

/** ASCII digits of a number or of the word for a digit; null for any other word. */
function digitsOf(word: string): string | null {
  if (/^\p{Nd}/u.test(word)) return Array.from(word, asciiDigit).join("");
  const digit = spoken.get(word.toLowerCase().normalize("NFC").replace(/\p{M}/gu, ""));
  return digit ?? null;
}

/** Arabic-Indic and other decimal digits come in blocks of ten that begin with zero. */
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 48;
  if (code < 128) return digit;
  let zero = code;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(zero - 1)) && code - zero < 9) zero--;
  return String(code - zero);
}

const repeats: ReadonlyMap<string, number> = new Map([
  ["double", 2],
  ["triple", 3],
  ["פעמיים", 2],
]);

const fillers: ReadonlySet<string> = new Set(["and", "dash", "hyphen", "space", "uh", "um", "מקף", "אה"]);

const spoken: ReadonlyMap<string, string> = new Map(
  Object.entries({
    zero: "0",
    oh: "0",
    o: "0",
    one: "1",
    two: "2",
    three: "3",
    four: "4",
    five: "5",
    six: "6",
    seven: "7",
    eight: "8",
    nine: "9",
    אפס: "0",
    אחד: "1",
    אחת: "1",
    שתיים: "2",
    שתים: "2",
    שניים: "2",
    שנים: "2",
    שלוש: "3",
    שלושה: "3",
    ארבע: "4",
    ארבעה: "4",
    חמש: "5",
    חמישה: "5",
    שש: "6",
    שישה: "6",
    ששה: "6",
    שבע: "7",
    שבעה: "7",
    שמונה: "8",
    תשע: "9",
    תשעה: "9",
  }),
);
