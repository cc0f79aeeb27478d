import type { Transcript, Turn, TurnRole } from "@aftercall/contract/call.ts";

import type { DroppedSegment, SpeechInterval, TranscriptionAnswer, Transcription } from "./answer.ts";
import { withoutInvented } from "./guard.ts";
import type { Heard, Segment } from "./recognise.ts";
import { guessRoles } from "./roles.ts";
import { mean, type Said, turnsOf } from "./to-turns.ts";

/** What was heard on one channel, or in the whole of a recording (`channel` null). */
export type Channel = {
  readonly channel: number | null;
  readonly heard: readonly Heard[];
  readonly speech: readonly SpeechInterval[] | null;
};

/** Makes one transcript of what was heard: without what was invented, by who speaks, in the order of time. */
export function assemble(
  channels: readonly Channel[],
  { language, channelMap, direction }: Pick<Transcription, "language" | "channelMap" | "direction">,
): Pick<TranscriptionAnswer, "transcript" | "timing" | "quality"> {
  const dropped: DroppedSegment[] = [];
  const kept: Voice[] = channels.flatMap(({ channel, heard, speech }) => {
    const all = heard.flatMap(({ segments }) => segments);
    const guarded = withoutInvented(all, speech, channel);
    dropped.push(...guarded.dropped);
    return guarded.kept.map((segment) => ({ channel, segment: placed(segment, speech) }));
  });
  const { said, source, confidence } = named(kept, channelMap, direction);
  const turns = turnsOf(said);
  const segments = kept.map(({ segment }) => segment);
  const hasTimes = segments.every(({ startMs }) => startMs !== null);
  return {
    transcript: { turns, text: textOf(turns), language: language ?? spokenIn(channels) } satisfies Transcript,
    timing: !hasTimes ? "none" : segments.length > 0 && segments.every(({ words }) => words !== null) ? "word" : "turn",
    quality: {
      avg_confidence: mean(known(segments.map((one) => one.confidence))),
      avg_logprob: mean(known(segments.map((one) => one.avgLogprob))),
      no_speech_prob_max: known(segments.map((one) => one.noSpeechProb)).reduce<number | null>(
        (max, value) => Math.max(max ?? value, value),
        null,
      ),
      role_source: source,
      role_confidence: confidence,
      flags: [
        ...(channels.length === 0 ? ["silent"] : []),
        ...(dropped.length > 0 ? ["segments_dropped"] : []),
        ...(hasTimes ? [] : ["no_timestamps"]),
        ...(source === "heuristic" && (confidence ?? 0) < 0.8 ? ["speakers_uncertain"] : []),
      ],
      dropped_segments: dropped,
    },
  };
}

type Voice = { readonly channel: number | null; readonly segment: Segment };
type Named = {
  readonly said: readonly Said[];
  readonly source: "channel" | "heuristic" | "none";
  readonly confidence: number | null;
};

/** Who is who: by the channel where it is known, else guessed from what is said. */
function named(
  voices: readonly Voice[],
  channelMap: Transcription["channelMap"],
  direction: Transcription["direction"],
): Named {
  if (voices.some(({ channel }) => channel !== null) && channelMap.length > 0) {
    const roleOf = ({ channel }: Voice): TurnRole =>
      channel === null ? "unknown" : (channelMap[channel] ?? "unknown");
    return { said: voices.map((voice) => ({ ...voice, role: roleOf(voice) })), source: "channel", confidence: null };
  }
  const speakerOf = ({ channel, segment }: Voice) => (channel === null ? segment.speaker : `channel ${channel}`);
  const inOrder = voices.toSorted((a, b) => (a.segment.startMs ?? 0) - (b.segment.startMs ?? 0));
  const told = inOrder.flatMap((voice) => {
    const speaker = speakerOf(voice);
    return speaker === null ? [] : [{ ...voice.segment, speaker }];
  });
  const guess = guessRoles(told, direction);
  const isGuessed = guess.confidence > 0;
  const roleOf = (voice: Voice): TurnRole => guess.of.get(speakerOf(voice) ?? "") ?? "unknown";
  return {
    said: voices.map((voice) => ({ ...voice, role: roleOf(voice) })),
    source: isGuessed ? "heuristic" : "none",
    confidence: isGuessed ? guess.confidence : null,
  };
}

/** Some engines let a segment begin in the silence before it. */
function placed(segment: Segment, speech: readonly SpeechInterval[] | null): Segment {
  const { startMs, endMs, words } = segment;
  if (speech === null || startMs === null || endMs === null || words !== null) return segment;
  const within = speech.filter(([start, end]) => start < endMs && end > startMs);
  const [first, last] = [within[0], within.at(-1)];
  if (!first || !last) return segment;
  return { ...segment, startMs: Math.max(startMs, first[0]), endMs: Math.min(endMs, last[1]) };
}

function spokenIn(channels: readonly Channel[]): string | null {
  const all = channels.flatMap(({ heard }) => heard.flatMap((one) => (one.language === null ? [] : [one.language])));
  const counts = Map.groupBy(all, (one) => one);
  return [...counts].toSorted((a, b) => b[1].length - a[1].length)[0]?.[0] ?? null;
}

const speakers: Readonly<Partial<Record<TurnRole, string>>> = {
  agent: "Agent",
  customer: "Customer",
  human_agent: "Human agent",
};

/** As the transcripts of providers are put together: a line for each turn. */
function textOf(turns: readonly Turn[]): string {
  return turns.map(({ role, text }) => `${speakers[role] ?? "Speaker"}: ${text}`).join("\n");
}

function known(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null);
}
