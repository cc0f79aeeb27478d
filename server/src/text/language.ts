import type { Turn } from "@aftercall/contract/call.ts";
import { francAll } from "franc";

import { functionWords } from "./function-words.ts";
import { isSpeech } from "./turns.ts";

/**
 * The language of a call as a BCP 47 tag, from what was said; null when it cannot be told. The script decides where it
 * belongs to one language (Hebrew, Greek, Korean …); where several share it, the small words of a language and the
 * frequency of its letter groups do. `only` are the languages that the tenant's calls are in: they narrow a guess, and
 * never turn Hebrew letters into English.
 */
export function detectLanguage(turns: readonly Pick<Turn, "role" | "text">[], only?: readonly string[]): string | null {
  const text = sample(turns);
  const script = mostUsedScript(text);
  if (!script) return null;
  const shared = languagesOf[script];
  const wanted = new Set(only?.map((tag) => tag.toLowerCase().split("-")[0]));
  const candidates = wanted.size > 0 ? shared.filter(([tag]) => wanted.has(tag)) : shared;
  const [first] = candidates.length > 0 ? candidates : shared;
  if (first && (candidates.length === 1 || shared.length === 1)) return first[0];
  return guess(text, candidates.length > 0 ? candidates : shared);
}

const lettersMax = 6000;
/** Below this, frequencies of letter groups say nothing: "ok thanks bye" would be anything. */
const lettersForFrequencies = 40;

function sample(turns: readonly Pick<Turn, "role" | "text">[]): string {
  let text = "";
  for (const turn of turns) {
    if (isSpeech({ ...turn, start_ms: null, end_ms: null })) text += `${turn.text}\n`;
    if (text.length > lettersMax) break;
  }
  return text;
}

type Language = readonly [tag: string, iso6393: string];
type Script = keyof typeof languagesOf;

/** Languages by script; the first of each is the one to assume where nothing more is known. */
const languagesOf = {
  hebrew: [["he", "heb"]],
  arabic: [
    ["ar", "arb"],
    ["fa", "pes"],
    ["ur", "urd"],
  ],
  cyrillic: [
    ["ru", "rus"],
    ["uk", "ukr"],
    ["bg", "bul"],
    ["sr", "srp"],
  ],
  greek: [["el", "ell"]],
  armenian: [["hy", "hye"]],
  georgian: [["ka", "kat"]],
  kana: [["ja", "jpn"]],
  han: [["zh", "cmn"]],
  hangul: [["ko", "kor"]],
  thai: [["th", "tha"]],
  devanagari: [
    ["hi", "hin"],
    ["mr", "mar"],
  ],
  ethiopic: [["am", "amh"]],
  latin: [
    ["en", "eng"],
    ["es", "spa"],
    ["fr", "fra"],
    ["de", "deu"],
    ["pt", "por"],
    ["it", "ita"],
    ["nl", "nld"],
    ["pl", "pol"],
    ["tr", "tur"],
    ["ro", "ron"],
    ["sv", "swe"],
    ["vi", "vie"],
    ["id", "ind"],
    ["cs", "ces"],
    ["hu", "hun"],
    ["fi", "fin"],
    ["da", "dan"],
    ["no", "nob"],
  ],
} as const satisfies Record<string, readonly Language[]>;

const scripts: readonly (readonly [Script, RegExp])[] = [
  ["latin", /\p{Script=Latin}/gu],
  ["hebrew", /\p{Script=Hebrew}/gu],
  ["arabic", /\p{Script=Arabic}/gu],
  ["cyrillic", /\p{Script=Cyrillic}/gu],
  ["greek", /\p{Script=Greek}/gu],
  ["armenian", /\p{Script=Armenian}/gu],
  ["georgian", /\p{Script=Georgian}/gu],
  ["kana", /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ["han", /\p{Script=Han}/gu],
  ["hangul", /\p{Script=Hangul}/gu],
  ["thai", /\p{Script=Thai}/gu],
  ["devanagari", /\p{Script=Devanagari}/gu],
  ["ethiopic", /\p{Script=Ethiopic}/gu],
];

/** The script of most letters. Japanese is written in three: kana among Han characters make it Japanese. */
function mostUsedScript(text: string): Script | null {
  const letters = scripts.map(([script, pattern]) => ({ script, count: text.match(pattern)?.length ?? 0 }));
  const most = letters.reduce((best, one) => (one.count > best.count ? one : best));
  if (most.count === 0) return null;
  const kana = letters.find(({ script }) => script === "kana")?.count ?? 0;
  return most.script === "han" && kana * 10 > most.count ? "kana" : most.script;
}

function guess(text: string, candidates: readonly Language[]): string | null {
  const bySmallWords = mostFunctionWords(text, candidates);
  if (bySmallWords) return bySmallWords;
  if ((text.match(/\p{L}/gu)?.length ?? 0) < lettersForFrequencies) return null;
  const [best] = francAll(text, { only: candidates.map(([, code]) => code), minLength: lettersForFrequencies });
  return candidates.find(([, code]) => code === best?.[0])?.[0] ?? null;
}

/** The language whose small words are said most, when it is clearly ahead; a word of several languages counts for each in part. */
function mostFunctionWords(text: string, candidates: readonly Language[]): string | null {
  const lists = candidates.flatMap(([tag]) => {
    const known = functionWords[tag];
    return known ? [{ tag, known, said: 0 }] : [];
  });
  for (const word of text.toLowerCase().match(/[\p{L}']+/gu) ?? []) {
    const holders = lists.filter(({ known }) => known.has(word));
    for (const holder of holders) holder.said += 1 / holders.length;
  }
  const [first, second] = lists.toSorted((a, b) => b.said - a.said);
  return first && first.said >= 1.5 && first.said >= 1.6 * (second?.said ?? 0) ? first.tag : null;
}
