import type { MetricSet } from "@aftercall/contract/analysis/metrics.ts";
import type { TurnRole } from "@aftercall/contract/call.ts";

import { type Side, sideOf } from "#/text/sides.ts";

import { measureConversation, unknownConversation, type Utterance } from "./conversation.ts";
import { defaultParams, definitionsVersion, type Params } from "./definitions.ts";
import { type Interval, union } from "./intervals.ts";
import { holdsIn, measureMoments, nothingTold, type Told } from "./moments.ts";
import { measureTalk } from "./talk.ts";

/**
 * Numbers of a call from its sound: when there was speech on the channel of each role, and how long the recording is.
 * A recording of one channel tells when somebody spoke, not who: its numbers of the sides are null.
 */
export function measureSpeech(
  { speech, mediaMs, told = nothingTold }: SpeechInput,
  params: Params = defaultParams,
): MetricSet {
  const of = (side: Side) => union(speech.flatMap(({ role, intervals }) => (sideOf(role) === side ? intervals : [])));
  const [agent, customer] = [of("agent"), of("customer")];
  const hasBoth = (["agent", "customer"] as const).every((side) => speech.some(({ role }) => sideOf(role) === side));
  const whoIsUnknown = hasBoth ? null : speech.length > 1 ? "unknown_speakers" : "mono_recording";
  const anybody = union(speech.flatMap(({ intervals }) => intervals));
  const frame = { mediaMs, basis: "audio_vad", params } as const;
  return {
    basis: "audio",
    definitions_version: definitionsVersion,
    params: { ...params },
    values: [
      ...measureTalk({ agent, customer, anybody, holds: holdsIn(told, mediaMs), whoIsUnknown }, frame),
      ...(whoIsUnknown
        ? unknownConversation(whoIsUnknown)
        : measureConversation(
            [...utterances("agent", agent, params), ...utterances("customer", customer, params)],
            frame,
          )),
      ...measureMoments(told, mediaMs),
    ],
  };
}

export type SpeechInput = {
  readonly speech: readonly { readonly role: TurnRole; readonly intervals: readonly Interval[] }[];
  readonly mediaMs: number;
  readonly told?: Told;
};

/** A breath inside a sentence does not end a turn; talk and silence are still measured without it. */
function utterances(side: Side, intervals: readonly Interval[], params: Params): Utterance[] {
  return union(intervals, params.join_gap_ms).map(([start, end]) => ({
    side,
    start,
    end,
    turn: null,
    words: null,
    isListening: false,
  }));
}
