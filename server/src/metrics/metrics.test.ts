import { MetricSet } from "@aftercall/contract/analysis/metrics.ts";
import type { Turn, TurnRole } from "@aftercall/contract/call.ts";
import fc from "fast-check";
import { expect, test } from "vitest";

import { defaultParams } from "./definitions.ts";
import type { Interval } from "./intervals.ts";
import { metricKeys } from "./metric-keys.ts";
import { referenceBands } from "./reference-bands.ts";
import { measureSpeech } from "./speech.ts";
import { testMetric } from "./test-metric.ts";
import { measureTurns } from "./turns.ts";

/** One call, its numbers worked out by hand: 41 s, three turns each, one of the customer's is only "mm-hm". */
const agent: readonly Interval[] = [
  [0, 6500],
  [8700, 20_000],
  [23_000, 41_000],
];
const customer: readonly Interval[] = [
  [6900, 9000],
  [12_000, 12_400],
  [21_500, 24_000],
];
const mediaMs = 41_000;

const five = "one two three four five.";
const turn = (role: TurnRole, start_ms: number | null, end_ms: number | null, text = five): Turn => ({
  role,
  text,
  start_ms,
  end_ms,
});
const turns = [
  ...agent.map(([start, end]) => turn("agent", start, end)),
  ...customer.map(([start, end]) => turn("customer", start, end)),
].toSorted((a, b) => (a.start_ms ?? 0) - (b.start_ms ?? 0));
const speech = [
  { role: "agent" as const, intervals: agent },
  { role: "customer" as const, intervals: customer },
];

function read({ values }: MetricSet, key: string, role: TurnRole | null = null) {
  const found = values.filter((value) => value.key === key && value.role === role);
  expect(found, `${key} ${role ?? ""}`).toHaveLength(1);
  return found[0];
}
const number = (set: MetricSet, key: string, role: TurnRole | null = null) => read(set, key, role)?.value;
const reason = (set: MetricSet, key: string, role: TurnRole | null = null) => {
  expect(number(set, key, role)).toBeNull();
  return read(set, key, role)?.null_reason;
};

const worked = {
  "from turns": { set: measureTurns({ turns, mediaMs, language: "en" }), basis: "turn_timestamps" },
  "from sound": { set: measureSpeech({ speech, mediaMs }), basis: "audio_vad" },
} as const;

for (const [how, { set, basis }] of Object.entries(worked)) {
  test(`the worked example ${how}: every number to the millisecond`, () => {
    expect(number(set, "talk_ms", "agent")).toBe(35_800);
    expect(number(set, "talk_ms", "customer")).toBe(5000);
    expect(number(set, "talk_ratio", "agent")).toBe(0.8775);
    expect(number(set, "talk_ratio", "customer")).toBe(0.1225);
    expect(number(set, "talk_share_of_call", "agent")).toBe(0.8732);
    expect(number(set, "silence_ms")).toBe(1900);
    expect(number(set, "silence_ratio")).toBe(0.0463);
    expect(number(set, "overlap_ms")).toBe(1700);
    expect(number(set, "dead_air")).toBe(0);
    expect(number(set, "backchannels", "customer")).toBe(1);
    expect(read(set, "backchannels", "customer")?.items).toMatchObject([{ start_ms: 12_000, end_ms: 12_400 }]);
    expect(number(set, "backchannels", "agent")).toBe(0);
    expect(read(set, "interruptions", "agent")?.items).toMatchObject([{ start_ms: 23_000, end_ms: 24_000 }]);
    expect(number(set, "interruptions", "customer")).toBe(0);
    expect(number(set, "response_latency_median_ms", "agent")).toBe(-650);
    expect(number(set, "response_latency_median_ms", "customer")).toBe(950);
    expect(number(set, "response_latency_min_ms", "agent")).toBe(-1000);
    expect(number(set, "response_latency_p95_ms", "customer")).toBe(1500);
    expect(number(set, "longest_monologue_ms", "agent")).toBe(18_000);
    expect(number(set, "longest_monologue_ms", "customer")).toBe(2500);
    expect(number(set, "speaker_switches")).toBe(4);
    expect(number(set, "speaker_switches_per_min")).toBe(5.85);
    expect(read(set, "silence_ms")?.basis).toBe(basis);
    expect(() => MetricSet.parse(set)).not.toThrow();
  });
}

test("the worked example with a finer line between turn-taking and interrupting has two interruptions", () => {
  const fine = { ...defaultParams, interruption_ms: 300 };
  expect(number(measureSpeech({ speech, mediaMs }, fine), "interruptions", "agent")).toBe(2);
  expect(measureSpeech({ speech, mediaMs }, fine).params["interruption_ms"]).toBe(300);
});

test("times of words are better than those of turns: a pause inside a turn is silence", () => {
  const word = (text: string, start_ms: number, end_ms: number) => ({ text, start_ms, end_ms, confidence: null });
  const words = [word("one", 0, 400), word("two", 500, 1000), word("three", 6000, 7000)];
  const set = measureTurns({
    turns: [{ ...turn("agent", 0, 7000, "one two three"), words }],
    mediaMs: 8000,
    language: "en",
  });
  expect(read(set, "talk_ms", "agent")).toMatchObject({ value: 2000, basis: "word_timestamps" });
  expect(number(set, "silence_ms")).toBe(6000);
  expect(number(set, "dead_air")).toBe(1);
  expect(number(set, "dead_air_long")).toBe(1);
  expect(read(set, "dead_air")?.items).toMatchObject([{ start_ms: 1000, end_ms: 6000 }]);
  expect(number(set, "longest_monologue_ms", "agent")).toBe(7000);
});

test("pace is words per minute of talk, never of the call", () => {
  const set = measureTurns({ turns: [turn("agent", 0, 2000)], mediaMs: 60_000, language: "en" });
  expect(number(set, "wpm", "agent")).toBe(150);
  expect(reason(set, "wpm", "customer")).toBe("no_speech");
});

test("only the starts of turns: talk and monologue are estimates and say so; pace, silence, latency are not known", () => {
  const set = measureTurns({
    turns: [
      turn("agent", 0, null),
      turn("customer", 10_000, null, "one two three"),
      turn("agent", 20_000, null, "Any? more."),
    ],
    mediaMs: 40_000,
    language: "en",
  });
  expect(read(set, "talk_ratio", "agent")).toMatchObject({ value: 0.7, basis: "text_estimate" });
  // Five words at 150 a minute.
  expect(read(set, "longest_monologue_ms", "agent")).toMatchObject({ value: 2000, basis: "text_estimate" });
  for (const [key, role] of [
    ["talk_ms", "agent"],
    ["silence_ms", null],
    ["overlap_ms", null],
    ["dead_air", null],
    ["response_latency_median_ms", "agent"],
    ["backchannels", "customer"],
    ["interruptions", "agent"],
    ["wpm", "agent"],
    ["questions_per_hour", "agent"],
    ["filler_per_min", "agent"],
  ] as const)
    expect(reason(set, key, role), key).toBe("start_only");
  expect(number(set, "questions", "agent")).toBe(1);
  expect(number(set, "words", "agent")).toBe(7);
});

test("no times: counts only", () => {
  const set = measureTurns({
    turns: [turn("agent", null, null), turn("customer", 5, null, "Um, why? Uh. You know me.")],
    mediaMs: 9000,
    language: "en-US",
  });
  expect(reason(set, "talk_ratio", "agent")).toBe("no_times");
  expect(number(set, "turns", "customer")).toBe(1);
  expect(number(set, "questions", "customer")).toBe(1);
  expect(number(set, "filler_per_100_words", "customer")).toBe(50);
});

test("one turn without an end makes the whole call start-only, and an end before the start is no end", () => {
  const set = measureTurns({ turns: [...turns, turn("customer", 41_000, 40_000)], mediaMs, language: "en" });
  expect(reason(set, "silence_ms")).toBe("start_only");
});

test("what the provider says about interruptions wins over the times, and works without them", () => {
  const flagged = turns.map((one) => (one.role === "agent" ? { ...one, interrupted: one.start_ms === 0 } : one));
  const set = measureTurns({ turns: flagged, mediaMs, language: "en" });
  expect(read(set, "interruptions", "customer")).toMatchObject({ value: 1, basis: "provider" });
  expect(read(set, "interruptions", "customer")?.items).toEqual([
    { start_ms: 0, end_ms: 6500, turn: 0, by: "customer" },
  ]);
  expect(read(set, "interruptions", "agent")).toMatchObject({ value: 1, basis: "turn_timestamps" });
  const untimed = measureTurns({
    turns: [{ ...turn("agent", null, null), interrupted: true }],
    mediaMs: null,
    language: null,
  });
  expect(read(untimed, "interruptions", "customer")).toMatchObject({ value: 1, basis: "provider", items: [] });
});

test("'yes, right' inside the other's turn is listening however long it takes; the same words alone are a turn", () => {
  const told = (text: string, start: number) =>
    measureTurns({
      turns: [turn("agent", 0, 10_000), turn("customer", start, start + 1500, text)],
      mediaMs: 12_000,
      language: "he",
    });
  expect(number(told("אהה, כן, נכון, הבנתי, בסדר", 4000), "backchannels", "customer")).toBe(1);
  expect(number(told("אהה, כן, נכון, הבנתי, בסדר", 10_200), "backchannels", "customer")).toBe(0);
  expect(number(told("אני רוצה לבטל את הכל מיד", 4000), "backchannels", "customer")).toBe(0);
  expect(number(told("אני רוצה לבטל את הכל מיד", 4000), "interruptions", "customer")).toBe(1);
});

test("fillers are counted per language; without a list, a language or the fillers themselves there is no number", () => {
  const set = (text: string, language: string | null, fillersRemoved = false) =>
    measureTurns({ turns: [turn("customer", 0, 60_000, text)], mediaMs: 60_000, language, fillersRemoved });
  const hebrew = set("אממ אני, אהה, רוצה כאילו לדעת אם אפשר", "he");
  expect(number(hebrew, "filler_per_min", "customer")).toBe(3);
  const english = set("Ummm, I, uh, would like, you know, an umbrella. Her hammer.", "en");
  expect(number(english, "filler_per_min", "customer")).toBe(3);
  expect(reason(set("um", "xx"), "filler_per_min", "customer")).toBe("no_filler_list");
  expect(reason(set("um", null), "filler_per_100_words", "customer")).toBe("no_language");
  expect(reason(set("I see", "en", true), "filler_per_min", "customer")).toBe("fillers_removed");
});

test("questions end in a question mark of any script; without punctuation there is no number", () => {
  const questions = (text: string, language: string) =>
    number(
      measureTurns({ turns: [turn("customer", null, null, text)], mediaMs: null, language }),
      "questions",
      "customer",
    );
  expect(questions("Why? And when?! I see.", "en")).toBe(2);
  expect(questions("متى؟ حسنا.", "ar")).toBe(1);
  expect(questions("いつですか？はい。", "ja")).toBe(1);
  expect(questions("מתי? איפה? טוב.", "he")).toBe(2);
  const bare = measureTurns({
    turns: [turn("customer", null, null, "when can you come")],
    mediaMs: null,
    language: "en",
  });
  expect(reason(bare, "questions", "customer")).toBe("no_punctuation");
});

test("speakers that nobody knows: silence is measured, sides are not", () => {
  const set = measureTurns({ turns: [turn("unknown", 0, 1000)], mediaMs: 5000, language: "en" });
  expect(number(set, "silence_ms")).toBe(4000);
  expect(reason(set, "talk_ratio", "agent")).toBe("unknown_speakers");
  expect(reason(set, "words", "agent")).toBe("unknown_speakers");
  const mono = measureSpeech({ speech: [{ role: "unknown", intervals: [[0, 1000]] }], mediaMs: 5000 });
  expect(number(mono, "silence_ms")).toBe(4000);
  expect(reason(mono, "talk_ms", "agent")).toBe("mono_recording");
  expect(reason(mono, "interruptions", "agent")).toBe("mono_recording");
});

test("without the length of the call there is no silence, and nobody said nothing is no division by zero", () => {
  const set = measureTurns({ turns, mediaMs: null, language: "en" });
  expect(reason(set, "silence_ms")).toBe("no_length");
  expect(reason(set, "speaker_switches_per_min")).toBe("no_length");
  expect(number(set, "talk_ratio", "agent")).toBe(0.8775);
  const empty = measureTurns({ turns: [turn("tool", 0, 1, "lookup")], mediaMs: 1000, language: null });
  expect(reason(empty, "talk_ratio", "agent")).toBe("no_speech");
  expect(number(empty, "words", "agent")).toBe(0);
  const silent = measureSpeech({
    speech: [
      { role: "agent", intervals: [] },
      { role: "customer", intervals: [] },
    ],
    mediaMs: 9000,
  });
  expect(number(silent, "silence_ratio")).toBe(1);
  expect(reason(silent, "talk_ratio", "agent")).toBe("no_speech");
  expect(reason(silent, "response_latency_min_ms", "agent")).toBe("no_turn_changes");
});

test("a person who took over talks for the agent's side; a breath does not end a turn of sound", () => {
  const set = measureTurns({ turns: [turn("human_agent", 0, 2000)], mediaMs: 2000, language: "en" });
  expect(number(set, "talk_ms", "agent")).toBe(2000);
  const breath = measureSpeech({
    speech: [
      {
        role: "agent",
        intervals: [
          [0, 1000],
          [1300, 3000],
        ],
      },
      { role: "customer", intervals: [[500, 2400]] },
    ],
    mediaMs: 3000,
  });
  expect(number(breath, "interruptions", "agent")).toBe(0);
  expect(number(breath, "talk_ms", "agent")).toBe(2700);
});

test("any times: sums agree, nothing is negative, no name appears twice, turns and sound tell the same talk", () => {
  const interval = fc
    .tuple(fc.nat(60_000), fc.integer({ min: 1, max: 9000 }))
    .map(([start, length]) => [start, start + length] as const);
  const voice = fc.array(interval, { maxLength: 12 });
  fc.assert(
    fc.property(voice, voice, fc.integer({ min: 1, max: 70_000 }), (a, b, mediaMs) => {
      const sound = measureSpeech({
        speech: [
          { role: "agent", intervals: a },
          { role: "customer", intervals: b },
        ],
        mediaMs,
      });
      const silence = number(sound, "silence_ms") ?? 0;
      expect(silence).toBeGreaterThanOrEqual(0);
      expect(silence).toBeLessThanOrEqual(mediaMs);
      expect(number(sound, "dead_air_ms")).toBeLessThanOrEqual(silence);
      const shares = (number(sound, "talk_ratio", "agent") ?? 1) + (number(sound, "talk_ratio", "customer") ?? 0);
      expect(shares).toBeCloseTo(1, 3);
      const all = [...a.map((one) => turn("agent", ...one)), ...b.map((one) => turn("customer", ...one))];
      const text = measureTurns({ turns: all, mediaMs, language: "en" });
      if (all.length > 0) expect(number(text, "talk_ms", "agent")).toBe(number(sound, "talk_ms", "agent"));
      for (const set of [sound, text]) {
        expect(new Set(set.values.map(({ key, role }) => `${key} ${role}`)).size).toBe(set.values.length);
        for (const { value, null_reason, basis } of set.values)
          expect(value === null).toBe(null_reason !== null && basis === null);
      }
    }),
  );
});

test("every reference band is about a number that there is", () => {
  const keys = new Set(worked["from turns"].set.values.map(({ key, role }) => `${key} ${role}`));
  for (const { key, role, from, to } of referenceBands) {
    expect(keys).toContain(`${key} ${role}`);
    expect(from).toBeLessThan(to);
  }
});

test("the list of names is the names of all numbers, and every set has them all that can have them", () => {
  const names = (set: MetricSet) => new Set(set.values.map(({ key }) => key));
  expect(names(worked["from turns"].set)).toEqual(metricKeys);
  const untimed = measureTurns({ turns: [turn("agent", null, null)], mediaMs: null, language: null });
  expect(names(untimed)).toEqual(metricKeys);
  for (const key of names(worked["from sound"].set)) expect(metricKeys).toContain(key);
});

test("a test of a number takes the first set that knows it, and knows when nobody does", () => {
  const { set } = worked["from turns"];
  const mono = measureSpeech({ speech: [{ role: "unknown", intervals: [[0, 41_000]] }], mediaMs });
  const ask = (
    key: string,
    op: "<" | ">=" | "between",
    value: number | [number, number],
    role: TurnRole | null = null,
  ) => testMetric({ key, op, value, role }, [mono, set]);
  expect(ask("talk_ratio", "<", 0.9, "agent").holds).toBe(true);
  expect(ask("talk_ratio", "between", [0.3, 0.8], "agent").holds).toBe(false);
  expect(ask("silence_ms", ">=", 1).holds).toBe(false);
  expect(ask("longest_monologue_ms", ">=", 18_000).value).toMatchObject({ role: "agent", value: 18_000 });
  expect(ask("no_such_number", "<", 1)).toEqual({ value: null, holds: null });
  expect(testMetric({ key: "talk_ms", op: "<", value: 1, role: "agent" }, [mono]).holds).toBeNull();
});
