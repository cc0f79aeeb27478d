import type { Turn } from "@aftercall/contract/call.ts";

import { functionWords } from "#/text/function-words.ts";
import { hebrewStem } from "#/text/hebrew.ts";
import { type Span, sentenceSpans } from "#/text/segments.ts";
import { sideOf } from "#/text/sides.ts";
import { tokensOf } from "#/text/tokens.ts";
import { isSpeech } from "#/text/turns.ts";

import { asksForSomething, promisesSomething } from "./asking.ts";

/** A sentence of the call that may stand in a summary, and the words that say what it is about. */
export type Unit = {
  readonly turn: number;
  readonly start: number;
  readonly end: number;
  readonly words: readonly string[];
  readonly isRequest: boolean;
  readonly isPromise: boolean;
};

/** The sentences of a call without greetings, closings and those that say nothing by themselves; long ones in pieces. */
export function unitsOf(turns: readonly Turn[], language: string | null): Unit[] {
  const units = turns.flatMap((turn, index) =>
    isSpeech(turn)
      ? sentenceSpans(turn.text, language)
          .flatMap((span) => pieces(turn.text, span))
          .map((span) => unit(turn, index, span))
      : [],
  );
  const telling = units.filter(({ words }) => words.length >= 2 && !words.every((word) => courtesies.has(word)));
  if (telling.length <= unitsMax) return telling;
  const kept = new Set(telling.toSorted((a, b) => b.words.length - a.words.length).slice(0, unitsMax));
  return telling.filter((one) => kept.has(one));
}

/** Of a call of many hours the sentences with most in them; each is compared with each. */
const unitsMax = 3000;
const charsMax = 300;

function unit(turn: Turn, index: number, { start, end }: Span): Unit {
  const text = turn.text.slice(start, end);
  const side = sideOf(turn.role);
  return {
    turn: index,
    start,
    end,
    words: tokensOf(text).flatMap(({ text: word }) =>
      word.length < 2 || emptyWords.has(word) ? [] : [hebrewStem(word)],
    ),
    isRequest: side !== "agent" && asksForSomething(text),
    isPromise: side !== "customer" && promisesSomething(text),
  };
}

/** What engines write without punctuation is cut between words. */
function pieces(text: string, { start, end }: Span): Span[] {
  const cut: Span[] = [];
  let from = start;
  while (end - from > charsMax) {
    const at = text.lastIndexOf(" ", from + charsMax);
    const to = at > from ? at : from + charsMax;
    cut.push({ start: from, end: to });
    from = at > from ? to + 1 : to;
  }
  if (end > from) cut.push({ start: from, end });
  return cut;
}

const emptyWords: ReadonlySet<string> = new Set(Object.values(functionWords).flatMap((words) => [...words]));

/** Words of greetings and closings; a sentence of nothing else is left out. As `tokensOf` folds them, and stemmed. */
const courtesies: ReadonlySet<string> = new Set(
  `hello hi hey good morning afternoon evening day night nice meet welcome help today calling call called name speaking speak
  bye goodbye care take wonderful great perfect lovely weekend anything else assist moment second minute hold sorry problem
  hear sure course much appreciate pleasure happy talk soon later hope fine doing
  שלומ היי הלו הי בוקר ערב טוב צהריימ טובימ נעימ יומ שבוע לילה ביי להתראות התראות מדבר מדברת דבר שמי קורא קוראימ עזור לעזור
  אפשר בסדר גמור מצוינ מעולה סבבה רגע דקה סליחה אינ בעיה שומע שומעת הקו קו מברכ חג שמח שבת נהדר בבקשה בקשה תודה רבה`
    .trim()
    .split(/\s+/)
    .map(hebrewStem),
);
