/** The sentences of a text as Unicode cuts them for the language, without the white space around them. */
export function sentencesOf(text: string, language: string | null): string[] {
  return sentenceSpans(text, language).map(({ start, end }) => text.slice(start, end));
}

/** Where the sentences of a text are; UTF-16 units. An abbreviation with a full stop (`Dr. Cohen`) does not end one. */
export function sentenceSpans(text: string, language: string | null): Span[] {
  if (!severalSentences.test(text)) return trimmed(text, 0, text.length);
  const spans: Span[] = [];
  let from = 0;
  for (const { segment, index } of segmenter(language, "sentence").segment(text)) {
    const end = index + segment.length;
    if (abbreviation.test(segment)) continue;
    spans.push(...trimmed(text, from, end));
    from = end;
  }
  return from < text.length ? [...spans, ...trimmed(text, from, text.length)] : spans;
}

export type Span = { readonly start: number; readonly end: number };

/** The words of a text, without punctuation and white space. */
export function wordsOf(text: string, language: string | null): string[] {
  const words: string[] = [];
  for (const { segment, isWordLike } of segmenter(language, "word").segment(text)) if (isWordLike) words.push(segment);
  return words;
}

const severalSentences = /[.!?…؟？。！｡।\n\r\u2028\u2029](?=.)/su;
const abbreviation =
  /(?:^|[\s(])(?:Dr|Mr|Mrs|Ms|Prof|Sr|Jr|St|vs|etc|e\.g|i\.e|approx|No|Nr|bzw|z\.B|Sra|Dra|Mme|\p{Lu})\.\s*$/u;

function trimmed(text: string, start: number, end: number): Span[] {
  while (start < end && isBlank(text, start)) start++;
  while (end > start && isBlank(text, end - 1)) end--;
  return start < end ? [{ start, end }] : [];
}

function isBlank(text: string, at: number): boolean {
  return /\s/.test(text.charAt(at));
}

/** Making one costs more than using it a hundred times, so those of the languages met so far are kept; they hold no state. */
const segmenters = new Map<string, Intl.Segmenter>();
const languagesKept = 64;

function segmenter(language: string | null, granularity: "word" | "sentence"): Intl.Segmenter {
  const key = `${granularity} ${language ?? ""}`;
  const kept = segmenters.get(key);
  if (kept) return kept;
  const made = new Intl.Segmenter(known(language), { granularity });
  if (segmenters.size < languagesKept) segmenters.set(key, made);
  return made;
}

/** What a provider calls the language may be anything; what ICU refuses is cut by its general rules. */
function known(language: string | null): string | undefined {
  if (!language) return "und";
  try {
    return Intl.getCanonicalLocales(language)[0];
  } catch {
    return "und";
  }
}
