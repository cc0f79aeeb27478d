import type { Basis, MetricValue } from "@aftercall/contract/analysis/metrics.ts";

import type { Side } from "#/text/sides.ts";

import { type Items, known, type NullReason, type Params, unknown } from "./definitions.ts";
import { gaps, intersection, type Interval, total, union } from "./intervals.ts";

/**
 * Talk, silence, dead air and overlap from who spoke when. `agent` and `customer` are unions; `anybody` covers both and
 * voices whose side is not known. Nobody is to talk during `holds`, so they are silence and no dead air. `whoIsUnknown` is why
 * the numbers of the sides cannot be told.
 */
export function measureTalk(
  { agent, customer, anybody, holds, whoIsUnknown }: Voices,
  frame: TalkFrame,
): MetricValue[] {
  const { mediaMs, basis, params } = frame;
  const length = mediaMs === null || mediaMs <= 0 ? null : mediaMs;
  const within = (intervals: readonly Interval[]) =>
    length === null ? intervals : intersection(intervals, [[0, length]]);
  const talk = { agent: total(agent), customer: total(customer) };
  const spoken = talk.agent + talk.customer;
  return [
    ...(["agent", "customer"] as const satisfies readonly Side[]).flatMap((side) => [
      whoIsUnknown ? unknown("talk_ms", side, "ms", whoIsUnknown) : known("talk_ms", side, "ms", talk[side], basis),
      whoIsUnknown || spoken === 0
        ? unknown("talk_ratio", side, "ratio", whoIsUnknown ?? "no_speech")
        : known("talk_ratio", side, "ratio", talk[side] / spoken, basis),
      whoIsUnknown || length === null
        ? unknown("talk_share_of_call", side, "ratio", whoIsUnknown ?? "no_length")
        : known(
            "talk_share_of_call",
            side,
            "ratio",
            total(within(side === "agent" ? agent : customer)) / length,
            basis,
          ),
    ]),
    ...(length === null ? unknownSilence("no_length") : silence(anybody, holds, length, { params, basis })),
    whoIsUnknown ? unknown("overlap_ms", null, "ms", whoIsUnknown) : overlap(intersection(agent, customer), basis),
  ];
}

export type Voices = {
  readonly agent: readonly Interval[];
  readonly customer: readonly Interval[];
  readonly anybody: readonly Interval[];
  readonly holds: readonly Interval[];
  readonly whoIsUnknown: NullReason | null;
};
type TalkFrame = { readonly mediaMs: number | null; readonly basis: Basis; readonly params: Params };

/** The same numbers where times are missing. */
export function unknownTalk(reason: NullReason): MetricValue[] {
  return [
    ...(["agent", "customer"] as const).flatMap((side) => [
      unknown("talk_ms", side, "ms", reason),
      unknown("talk_ratio", side, "ratio", reason),
      unknown("talk_share_of_call", side, "ratio", reason),
    ]),
    ...unknownSilence(reason),
    unknown("overlap_ms", null, "ms", reason),
  ];
}

function silence(
  anybody: readonly Interval[],
  holds: readonly Interval[],
  length: number,
  { params, basis }: Pick<TalkFrame, "params" | "basis">,
): MetricValue[] {
  const quiet = gaps(union(anybody), length);
  const dead = gaps(union([...anybody, ...holds]), length).filter(([start, end]) => end - start >= params.dead_air_ms);
  const long = dead.filter(([start, end]) => end - start >= params.long_dead_air_ms);
  return [
    known("silence_ms", null, "ms", total(quiet), basis),
    known("silence_ratio", null, "ratio", total(quiet) / length, basis),
    known("dead_air", null, "count", dead.length, basis, places(dead)),
    known("dead_air_long", null, "count", long.length, basis, places(long)),
    known("dead_air_ms", null, "ms", total(dead), basis),
  ];
}

function unknownSilence(reason: NullReason): MetricValue[] {
  return [
    unknown("silence_ms", null, "ms", reason),
    unknown("silence_ratio", null, "ratio", reason),
    unknown("dead_air", null, "count", reason),
    unknown("dead_air_long", null, "count", reason),
    unknown("dead_air_ms", null, "ms", reason),
  ];
}

function overlap(both: readonly Interval[], basis: Basis): MetricValue {
  return known("overlap_ms", null, "ms", total(both), basis, places(both));
}

function places(intervals: readonly Interval[]): Items {
  return intervals.map(([start, end]) => ({
    start_ms: Math.round(start),
    end_ms: Math.round(end),
    turn: null,
    by: null,
  }));
}
