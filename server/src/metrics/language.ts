import type { Basis, MetricValue } from "@aftercall/contract/analysis/metrics.ts";
import type { Turn } from "@aftercall/contract/call.ts";

import { sentenceSpans } from "#/text/segments.ts";
import type { Side } from "#/text/sides.ts";

import { known, type NullReason, unknown } from "./definitions.ts";
import { countFillers } from "./fillers.ts";

/** A turn of speech, with its index in the transcript. */
export type Spoken = {
  readonly turn: Turn;
  readonly index: number;
  readonly side: Side | null;
  readonly words: number;
};

/**
 * How the sides speak: turns, words, pace, fillers, questions. Counts need no times; what is per minute does. What they feel
 * no list of words tells, so a language model is asked for it or nobody.
 */
export function measureLanguage(spoken: readonly Spoken[], frame: Frame): MetricValue[] {
  const isPunctuated = spoken.some(({ turn }) => punctuation.test(turn.text));
  return (["agent", "customer"] as const).flatMap((side) => {
    if (frame.whoIsUnknown)
      return keys.map(([key, unit]) => unknown(key, side, unit, frame.whoIsUnknown ?? "no_speech"));
    const own = spoken.filter((one) => one.side === side);
    const words = own.reduce((sum, one) => sum + one.words, 0);
    return [
      known("turns", side, "count", own.length, "text_estimate"),
      known("words", side, "count", words, "text_estimate"),
      pace(side, words, frame),
      ...fillers(side, own, words, frame),
      ...questions(side, own, isPunctuated, frame),
      unknown("sentiment", side, "score", "needs_llm"),
      unknown("sentiment_trend", side, "score", "needs_llm"),
    ];
  });
}

type Frame = {
  readonly language: string | null;
  readonly whoIsUnknown: NullReason | null;
  readonly fillersRemoved: boolean;
  /** How long each side talked; null without times. */
  readonly talkMs: Readonly<Record<Side, number>> | null;
  /** Length of the call; null where it is not known, or the times of the turns are not. */
  readonly callMs: number | null;
  readonly basis: Basis;
  /** Why there are no times, where there are none. */
  readonly untimed: NullReason;
};

const keys = [
  ["turns", "count"],
  ["words", "count"],
  ["wpm", "wpm"],
  ["filler_per_100_words", "per_100_words"],
  ["filler_per_min", "per_min"],
  ["questions", "count"],
  ["questions_per_hour", "per_hour"],
  ["sentiment", "score"],
  ["sentiment_trend", "score"],
] as const;

const punctuation = /[.?!,;:؟،。、？！]/;
const question = /[?؟？][\p{P}\s]*$/u;

function pace(side: Side, words: number, { talkMs, basis, untimed }: Frame): MetricValue {
  if (!talkMs) return unknown("wpm", side, "wpm", untimed);
  if (talkMs[side] === 0) return unknown("wpm", side, "wpm", "no_speech");
  return known("wpm", side, "wpm", words / (talkMs[side] / 60_000), basis);
}

function fillers(side: Side, own: readonly Spoken[], words: number, frame: Frame): MetricValue[] {
  const { language, talkMs, basis, untimed } = frame;
  const both = (reason: NullReason) => [
    unknown("filler_per_100_words", side, "per_100_words", reason),
    unknown("filler_per_min", side, "per_min", reason),
  ];
  if (!language) return both("no_language");
  if (frame.fillersRemoved) return both("fillers_removed");
  if (words === 0) return both("no_speech");
  let count = 0;
  for (const { turn } of own) {
    const found = countFillers(turn.text, language);
    if (found === null) return both("no_filler_list");
    count += found;
  }
  return [
    known("filler_per_100_words", side, "per_100_words", (100 * count) / words, "text_estimate"),
    talkMs && talkMs[side] > 0
      ? known("filler_per_min", side, "per_min", count / (talkMs[side] / 60_000), basis)
      : unknown("filler_per_min", side, "per_min", talkMs ? "no_speech" : untimed),
  ];
}

function questions(side: Side, own: readonly Spoken[], isPunctuated: boolean, frame: Frame): MetricValue[] {
  const { language, callMs, talkMs, basis, untimed } = frame;
  if (!isPunctuated)
    return [
      unknown("questions", side, "count", "no_punctuation"),
      unknown("questions_per_hour", side, "per_hour", "no_punctuation"),
    ];
  const count = own.reduce((sum, { turn }) => sum + questionsIn(turn.text, language), 0);
  return [
    known("questions", side, "count", count, "text_estimate"),
    callMs
      ? known("questions_per_hour", side, "per_hour", count / (callMs / 3_600_000), basis)
      : unknown("questions_per_hour", side, "per_hour", talkMs ? "no_length" : untimed),
  ];
}

function questionsIn(text: string, language: string | null): number {
  if (!/[?؟？]/.test(text)) return 0;
  return sentenceSpans(text, language).filter(({ start, end }) => question.test(text.slice(start, end))).length;
}
