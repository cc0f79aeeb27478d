import type { MetricSet, MetricValue } from "@aftercall/contract/analysis/metrics.ts";
import type { CallMoment, MomentKind } from "@aftercall/contract/moment.ts";

import { defaultParams, definitionsVersion, type Items, known, type NullReason, unknown } from "./definitions.ts";
import { type Interval, total, union } from "./intervals.ts";

/** What happened inside a call, and the kinds of which its provider tells every one: none of these told means that none was. */
export type Told = {
  readonly moments: readonly CallMoment[];
  readonly complete: ReadonlySet<MomentKind>;
  /** How often each side broke in on the other, where the provider counted. */
  readonly interruptions: { readonly agent: number; readonly customer: number } | null;
};

export const nothingTold: Told = { moments: [], complete: new Set(), interruptions: null };

/** Numbers of what happened inside a call besides talk: holds, menus of machines, transfers, tools. `mediaMs` ends what has no end. */
export function measureMoments({ moments, complete }: Told, mediaMs: number | null): MetricValue[] {
  const of = (kind: MomentKind) => moments.filter((moment) => moment.kind === kind);
  const count = (key: string, kind: MomentKind, counted: readonly CallMoment[]) =>
    of(kind).length > 0 || complete.has(kind)
      ? known(key, null, "count", counted.length, "provider", items(counted))
      : unknown(key, null, "count", "not_told");
  const results = of("tool_result");
  return [
    lasting("hold_ms", of("hold"), complete.has("hold"), mediaMs),
    lasting("ivr_ms", of("marker").filter(isMenu), false, mediaMs),
    count("transfers", "transfer", of("transfer")),
    count("tool_calls", "tool_call", of("tool_call")),
    count(
      "tool_errors",
      "tool_result",
      results.filter(({ is_error }) => is_error === true),
    ),
    ...latencies(results, complete.has("tool_result")),
  ];
}

/** These numbers alone, where nobody knows what was said. */
export function measureToldOnly(told: Told, mediaMs: number | null): MetricSet {
  return {
    basis: "text",
    definitions_version: definitionsVersion,
    params: { ...defaultParams },
    values: measureMoments(told, mediaMs),
  };
}

/** When nobody was to talk: somebody was on hold. */
export function holdsIn({ moments }: Told, mediaMs: number | null): readonly Interval[] {
  return spans(
    moments.filter(({ kind }) => kind === "hold"),
    mediaMs,
  );
}

function isMenu({ name }: CallMoment): boolean {
  return name?.toLowerCase() === "ivr";
}

function lasting(key: string, moments: readonly CallMoment[], isComplete: boolean, mediaMs: number | null) {
  const covered = spans(moments, mediaMs);
  if (covered.length > 0 || (isComplete && moments.length === 0)) {
    return known(key, null, "ms", total(covered), "provider", covered.map(place));
  }
  return unknown(key, null, "ms", moments.length === 0 ? "not_told" : "no_length");
}

/** The time that any of them covers; one that nobody ended lasted until the end of the call. */
function spans(moments: readonly CallMoment[], mediaMs: number | null): Interval[] {
  const placed = moments.flatMap(({ at_ms, end_ms }): Interval[] => {
    const end = end_ms ?? mediaMs;
    return at_ms === null || end === null || end <= at_ms ? [] : [[at_ms, end]];
  });
  return union(placed);
}

const latencyKeys = ["tool_latency_median_ms", "tool_latency_p95_ms"] as const;

function latencies(results: readonly CallMoment[], isComplete: boolean): MetricValue[] {
  const samples = results.flatMap(({ latency_ms }) => latency_ms ?? []).toSorted((a, b) => a - b);
  const none: NullReason = results.length > 0 ? "no_times" : isComplete ? "no_tool_calls" : "not_told";
  if (samples.length === 0) return latencyKeys.map((key) => unknown(key, null, "ms", none));
  const at = (index: number) => samples[index] ?? 0;
  const median = (at(Math.floor((samples.length - 1) / 2)) + at(Math.floor(samples.length / 2))) / 2;
  const values = [median, at(Math.ceil(0.95 * samples.length) - 1)];
  return latencyKeys.map((key, i) => known(key, null, "ms", values[i] ?? 0, "provider"));
}

function items(moments: readonly CallMoment[]): Items {
  return moments.flatMap(({ at_ms, end_ms }) => (at_ms === null ? [] : [place([at_ms, end_ms ?? at_ms])]));
}

function place([start_ms, end_ms]: Interval): Items[number] {
  return { start_ms, end_ms, turn: null, by: null };
}
