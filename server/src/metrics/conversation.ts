import type { Basis, MetricValue } from "@aftercall/contract/analysis/metrics.ts";

import type { Side } from "#/text/sides.ts";

import { type Items, known, type NullReason, type Params, unknown } from "./definitions.ts";

/** One stretch of talking of one side. `turn` is its index in the transcript, `words` how many; null where sound is all there is. */
export type Utterance = {
  readonly side: Side;
  readonly start: number;
  readonly end: number;
  readonly turn: number | null;
  readonly words: number | null;
  /** It says nothing but "mm-hm", "yes", "right". */
  readonly isListening: boolean;
};

/** How the two sides take turns: backchannels, interruptions, latency, monologues, switches. */
export function measureConversation(
  utterances: readonly Utterance[],
  { mediaMs, basis, params }: Frame,
): MetricValue[] {
  const inOrder = utterances.toSorted((a, b) => a.start - b.start || a.end - b.end);
  const listening = new Set(inOrder.filter((one, at) => isBackchannel(inOrder, one, at, params)));
  const floor = inOrder.filter((one) => !listening.has(one));
  const switches = floor.filter((one, i) => i > 0 && floor[i - 1]?.side !== one.side).length;
  return [
    ...sides.flatMap((side) => {
      const heard = inOrder.filter((one) => one.side === side && listening.has(one));
      const broke = interruptionsBy(side, floor, params);
      return [
        known("backchannels", side, "count", heard.length, basis, heard.map(item)),
        known("interruptions", side, "count", broke.length, basis, broke),
        ...latency(side, floor, basis),
        ...monologue(side, floor, basis),
      ];
    }),
    known("speaker_switches", null, "count", switches, basis),
    mediaMs
      ? known("speaker_switches_per_min", null, "per_min", switches / (mediaMs / 60_000), basis)
      : unknown("speaker_switches_per_min", null, "per_min", "no_length"),
  ];
}

export type Frame = { readonly mediaMs: number | null; readonly basis: Basis; readonly params: Params };

/** The same numbers where the times that they need are missing. */
export function unknownConversation(reason: NullReason): MetricValue[] {
  return [
    ...sides.flatMap((side) => [
      unknown("backchannels", side, "count", reason),
      unknown("interruptions", side, "count", reason),
      ...latencyKeys.map((key) => unknown(key, side, "ms", reason)),
      unknown("longest_monologue_ms", side, "ms", reason),
    ]),
    unknown("speaker_switches", null, "count", reason),
    unknown("speaker_switches_per_min", null, "per_min", reason),
  ];
}

const sides: readonly Side[] = ["agent", "customer"];
/** How many utterances can begin while one goes on. More is no conversation, and would make a hostile transcript slow. */
const lookBack = 50;
const latencyKeys = ["response_latency_median_ms", "response_latency_p95_ms", "response_latency_min_ms"] as const;

function isBackchannel(inOrder: readonly Utterance[], one: Utterance, at: number, params: Params): boolean {
  const isShort =
    one.end - one.start <= params.backchannel_ms ||
    (one.words !== null && one.words <= params.backchannel_words) ||
    one.isListening;
  return isShort && spokenOver(inOrder, one, at, (other) => other.end >= one.end && other !== one) !== null;
}

/** The utterance of the other side that was going on when `one` began and does as asked; the last to have begun. */
function spokenOver(
  inOrder: readonly Utterance[],
  one: Utterance,
  at: number,
  fits: (other: Utterance) => boolean,
): Utterance | null {
  for (let i = at - 1; i >= Math.max(0, at - lookBack); i--) {
    const other = inOrder[i];
    if (other && other.side !== one.side && other.start < one.start && other.end > one.start && fits(other))
      return other;
  }
  return null;
}

function interruptionsBy(side: Side, floor: readonly Utterance[], params: Params): Items {
  return floor.flatMap((one, at) => {
    if (one.side !== side) return [];
    const other = spokenOver(floor, one, at, () => true);
    if (!other) return [];
    const end = Math.min(one.end, other.end);
    return end - one.start >= params.interruption_ms
      ? [{ start_ms: Math.round(one.start), end_ms: Math.round(end), turn: one.turn, by: side }]
      : [];
  });
}

/** From the end of the other side's turn to the start of the answer; negative where the answer came before the end. */
function latency(side: Side, floor: readonly Utterance[], basis: Basis): MetricValue[] {
  const samples = floor
    .flatMap((one, i) => {
      const before = floor[i - 1];
      return before && one.side === side && before.side !== side ? [one.start - before.end] : [];
    })
    .toSorted((a, b) => a - b);
  if (samples.length === 0) return latencyKeys.map((key) => unknown(key, side, "ms", "no_turn_changes"));
  const at = (index: number) => samples[index] ?? 0;
  const median = (at(Math.floor((samples.length - 1) / 2)) + at(Math.floor(samples.length / 2))) / 2;
  const values = [median, at(Math.ceil(0.95 * samples.length) - 1), at(0)];
  return latencyKeys.map((key, i) => known(key, side, "ms", values[i] ?? 0, basis));
}

/** The longest time from the start to the end of turns of one side with nothing of the other between them. */
function monologue(side: Side, floor: readonly Utterance[], basis: Basis): MetricValue[] {
  let longest: Utterance | null = null;
  let run: Utterance | null = null;
  for (const one of floor) {
    run = one.side === side ? joined(run, one) : null;
    if (run && (!longest || run.end - run.start > longest.end - longest.start)) longest = run;
  }
  return longest
    ? [known("longest_monologue_ms", side, "ms", longest.end - longest.start, basis, [item(longest)])]
    : [unknown("longest_monologue_ms", side, "ms", "no_speech")];
}

function joined(run: Utterance | null, one: Utterance): Utterance {
  return run ? { ...run, end: Math.max(run.end, one.end) } : one;
}

function item({ start, end, turn, side }: Utterance): Items[number] {
  return { start_ms: Math.round(start), end_ms: Math.round(end), turn, by: side };
}
