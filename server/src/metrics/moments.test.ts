import type { MetricSet } from "@aftercall/contract/analysis/metrics.ts";
import type { CallMoment, MomentKind } from "@aftercall/contract/moment.ts";
import { expect, test } from "vitest";

import type { Told } from "./moments.ts";
import { measureSpeech } from "./speech.ts";
import { measureTurns } from "./turns.ts";

const nothing = { name: null, at_ms: null, end_ms: null, at: null, args: null, result: null, is_error: null };
const moment = (kind: MomentKind, said: Partial<CallMoment>): CallMoment => ({
  ...nothing,
  latency_ms: null,
  id: `${kind}:${said.at_ms ?? ""}`,
  kind,
  ...said,
});
const told = (moments: readonly CallMoment[], ...complete: MomentKind[]): Told => ({
  moments,
  complete: new Set(complete),
  interruptions: null,
});

/** 60 s, worked out by hand: nobody talks from 10 to 40 s, of which 12 to 30 s were on hold, and none after 50 s. */
const mediaMs = 60_000;
const agent = [
  [0, 5000],
  [40_000, 50_000],
] as const;
const customer = [[6000, 10_000]] as const;
const held = told([moment("hold", { at_ms: 12_000, end_ms: 30_000 })]);

function bySound(given: Told, length = mediaMs): MetricSet {
  const speech = [
    { role: "agent" as const, intervals: agent },
    { role: "customer" as const, intervals: customer },
  ];
  return measureSpeech({ speech, mediaMs: length, told: given });
}
function byTurns(given: Told, length: number | null = mediaMs): MetricSet {
  const turn = (role: "agent" | "customer") => (times: readonly [number, number]) => ({
    role,
    text: "one two",
    start_ms: times[0],
    end_ms: times[1],
  });
  const turns = [...agent.map(turn("agent")), ...customer.map(turn("customer"))];
  return measureTurns({ turns, mediaMs: length, language: "en", told: given });
}
const read = ({ values }: MetricSet, key: string) => values.find((value) => value.key === key);
const number = (set: MetricSet, key: string) => read(set, key)?.value;

test.each([
  ["sound", bySound],
  ["turns", byTurns],
])("by %s: nobody is to talk while on hold, so that is silence and no dead air", (_how, measure) => {
  const set = measure(held);
  expect(number(set, "silence_ms")).toBe(1000 + 30_000 + 10_000);
  expect(number(set, "hold_ms")).toBe(18_000);
  // What is left of the gap: 2 s before the hold, too short, and 10 s after it.
  expect(number(set, "dead_air")).toBe(2);
  expect(read(set, "dead_air")?.items).toMatchObject([
    { start_ms: 30_000, end_ms: 40_000 },
    { start_ms: 50_000, end_ms: 60_000 },
  ]);
  expect(number(set, "dead_air_ms")).toBe(20_000);
  expect(number(measure(told([])), "dead_air_ms")).toBe(40_000);
});

test("holds of two legs at once are one stretch of time, and one that nobody ended lasts until the end of the call", () => {
  const moments = [
    moment("hold", { at_ms: 10_000, end_ms: 20_000 }),
    moment("hold", { at_ms: 15_000, end_ms: 22_000 }),
    moment("hold", { at_ms: 55_000 }),
  ];
  const set = bySound(told(moments));
  expect(read(set, "hold_ms")).toMatchObject({ value: 17_000, unit: "ms", basis: "provider", null_reason: null });
  expect(read(set, "hold_ms")?.items).toMatchObject([
    { start_ms: 10_000, end_ms: 22_000 },
    { start_ms: 55_000, end_ms: 60_000 },
  ]);
  expect(number(set, "dead_air")).toBe(2);
  expect(read(byTurns(told([moment("hold", { at_ms: 1 })]), null), "hold_ms")).toMatchObject({
    value: null,
    null_reason: "no_length",
  });
});

test("nothing told is null, unless whoever tells of every one has told: then it is zero", () => {
  const silent = byTurns(told([]));
  for (const key of ["hold_ms", "ivr_ms", "transfers", "tool_calls", "tool_errors", "tool_latency_median_ms"]) {
    expect(read(silent, key), key).toMatchObject({ value: null, basis: null, null_reason: "not_told" });
  }
  const complete = byTurns(told([], "tool_call", "tool_result", "transfer", "hold"));
  for (const key of ["hold_ms", "transfers", "tool_calls", "tool_errors"]) expect(number(complete, key), key).toBe(0);
  expect(read(complete, "tool_latency_p95_ms")).toMatchObject({ value: null, null_reason: "no_tool_calls" });
  expect(read(complete, "ivr_ms")).toMatchObject({ value: null, null_reason: "not_told" });
});

test("menus, transfers, tools and how long they took: median and p95 by nearest rank", () => {
  const latencies = [900, 100, 400, 300];
  const set = bySound(
    told([
      moment("marker", { name: "IVR", at_ms: 0, end_ms: 4000 }),
      moment("marker", { name: "consent", at_ms: 5000, end_ms: 9000 }),
      moment("transfer", { at_ms: 50_000 }),
      ...latencies.flatMap((latency_ms, i) => [
        moment("tool_call", { at_ms: i * 1000 }),
        moment("tool_result", { at_ms: i * 1000 + latency_ms, latency_ms, is_error: i === 0 }),
      ]),
      moment("tool_result", { at_ms: 9000, latency_ms: null, is_error: null }),
    ]),
  );
  const keys = ["ivr_ms", "transfers", "tool_calls", "tool_errors", "tool_latency_median_ms", "tool_latency_p95_ms"];
  expect(keys.map((key) => number(set, key))).toEqual([4000, 1, 4, 1, 350, 900]);
  expect(read(set, "transfers")?.items).toMatchObject([{ start_ms: 50_000, end_ms: 50_000 }]);
  const untimed = bySound(told([moment("tool_result", { is_error: true })]));
  expect(read(untimed, "tool_latency_median_ms")).toMatchObject({ value: null, null_reason: "no_times" });
  expect(number(untimed, "tool_errors")).toBe(1);
});

test("how often sides broke in is what the provider counted, where it did, and what it flags at turns where it does that", () => {
  const counted = { ...told([]), interruptions: { agent: 2, customer: 0 } };
  const by = (set: MetricSet) =>
    set.values.filter(({ key }) => key === "interruptions").map(({ value, basis }) => [value, basis]);
  expect(by(byTurns(counted))).toEqual([
    [2, "provider"],
    [0, "provider"],
  ]);
  const turns = [{ role: "agent" as const, text: "I", start_ms: 0, end_ms: null, interrupted: true }];
  expect(by(measureTurns({ turns, mediaMs: null, language: "en", told: counted }))).toEqual([
    [2, "provider"],
    [1, "provider"],
  ]);
});

test("what somebody feels is told by no list of words", () => {
  expect(read(byTurns(told([])), "sentiment")).toMatchObject({ value: null, unit: "score", null_reason: "needs_llm" });
});
