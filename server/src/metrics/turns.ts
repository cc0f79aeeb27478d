import type { MetricSet, MetricValue } from "@aftercall/contract/analysis/metrics.ts";
import type { Turn } from "@aftercall/contract/call.ts";

import { wordsOf } from "#/text/segments.ts";
import { sideOf } from "#/text/sides.ts";
import { isSpeech } from "#/text/turns.ts";

import { measureConversation, unknownConversation } from "./conversation.ts";
import { defaultParams, definitionsVersion, type NullReason, type Params } from "./definitions.ts";
import { estimateFromWords } from "./estimate.ts";
import { countedInterruptions, flaggedInterruptions } from "./flags.ts";
import { total, union } from "./intervals.ts";
import { type Spoken, measureLanguage } from "./language.ts";
import { isListening } from "./listening.ts";
import { holdsIn, measureMoments, nothingTold, type Told } from "./moments.ts";
import { measureTalk, unknownTalk } from "./talk.ts";
import { spokenIntervals, timingOf } from "./timing.ts";

/**
 * Numbers of a call from its transcript. What they rest on follows from the times there are: of words, of turns, of the
 * start of turns only (then talk is estimated from words, and what needs an end is null), or none (then only counts).
 * An `interrupted` that the provider states wins over what the times say. `fillersRemoved`: the engine that wrote the
 * transcript leaves "um" out.
 */
export function measureTurns(input: TurnsInput, params: Params = defaultParams): MetricSet {
  const { turns, mediaMs, language } = input;
  const spoken = turns.flatMap((turn, index): Spoken[] =>
    isSpeech(turn) ? [{ turn, index, side: sideOf(turn.role), words: wordsOf(turn.text, language).length }] : [],
  );
  const timing = timingOf(spoken.map(({ turn }) => turn));
  const whoIsUnknown: NullReason | null = spoken.some(({ side }) => side === null) ? "unknown_speakers" : null;
  const flags = [...countedInterruptions(input.told ?? nothingTold), ...flaggedInterruptions(spoken)];
  const timed = timing === "word" || timing === "turn" ? fromTimes(spoken, timing, whoIsUnknown, input, params) : null;
  const untimed = spoken.length === 0 ? "no_speech" : timing === "start_only" ? "start_only" : "no_times";
  const values = timed?.values ?? [...unknownTalk(untimed), ...unknownConversation(untimed)];
  const estimates = timing === "start_only" && !whoIsUnknown ? estimateFromWords(spoken, params) : [];
  return {
    basis: "text",
    definitions_version: definitionsVersion,
    params: { ...params },
    values: [
      ...replace(values, [...estimates, ...flags]),
      ...measureLanguage(spoken, {
        language,
        whoIsUnknown,
        fillersRemoved: input.fillersRemoved ?? false,
        talkMs: timed?.talkMs ?? null,
        callMs: timed ? mediaMs : null,
        basis: timing === "word" ? "word_timestamps" : "turn_timestamps",
        untimed,
      }),
      ...measureMoments(input.told ?? nothingTold, mediaMs),
    ],
  };
}

export type TurnsInput = {
  readonly turns: readonly Turn[];
  readonly mediaMs: number | null;
  readonly language: string | null;
  readonly fillersRemoved?: boolean;
  readonly told?: Told;
};

type Timed = { readonly values: MetricValue[]; readonly talkMs: { readonly agent: number; readonly customer: number } };

function fromTimes(
  spoken: readonly Spoken[],
  timing: "word" | "turn",
  whoIsUnknown: NullReason | null,
  { mediaMs, language, told = nothingTold }: TurnsInput,
  params: Params,
): Timed {
  const frame = { mediaMs, basis: timing === "word" ? "word_timestamps" : "turn_timestamps", params } as const;
  const placed = spoken.map((one) => ({ ...one, intervals: spokenIntervals(one.turn, timing, params) }));
  const of = (side: "agent" | "customer") => union(placed.flatMap((one) => (one.side === side ? one.intervals : [])));
  const [agent, customer] = [of("agent"), of("customer")];
  const anybody = union(placed.flatMap(({ intervals }) => intervals));
  const utterances = placed.flatMap(({ side, index, turn, words, intervals }) => {
    const [first, last] = [intervals[0], intervals.at(-1)];
    if (!side || !first || !last) return [];
    return [{ side, start: first[0], end: last[1], turn: index, words, isListening: isListening(turn.text, language) }];
  });
  return {
    values: [
      ...measureTalk({ agent, customer, anybody, holds: holdsIn(told, mediaMs), whoIsUnknown }, frame),
      ...(whoIsUnknown ? unknownConversation(whoIsUnknown) : measureConversation(utterances, frame)),
    ],
    talkMs: { agent: total(agent), customer: total(customer) },
  };
}

/** The values, with those that are better known put in the place of their like. */
function replace(values: readonly MetricValue[], better: readonly MetricValue[]): MetricValue[] {
  const name = ({ key, role }: MetricValue) => `${key} ${role ?? ""}`;
  const byName = new Map(better.map((value) => [name(value), value]));
  return values.map((value) => byName.get(name(value)) ?? value);
}
