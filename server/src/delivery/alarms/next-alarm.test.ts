import fc from "fast-check";
import { expect, test } from "vitest";

import { type Alarm, type Level, nextAlarm } from "./next-alarm.ts";

const patience = { beginMs: 300, endMs: 200 };

/** What is said, look by look. */
function watch(looks: readonly (readonly [at: number, level: Level])[]): (string | null)[] {
  let alarm: Alarm | null = null;
  return looks.map(([at, level]) => {
    const step = nextAlarm(alarm, level, at, patience);
    alarm = step.alarm;
    return step.said;
  });
}

test("what is wrong for a while is told once, and once when it has been well for a while", () => {
  const looks = [
    [0, "bad"],
    [200, "bad"],
    [300, "bad"],
    [400, "bad"],
    [500, "good"],
    [600, "bad"],
    [700, "good"],
    [800, "unclear"],
    [900, "good"],
    [1_000, "good"],
    [1_100, "good"],
    [1_200, "good"],
  ] as const;
  expect(watch(looks)).toEqual([null, null, "begun", ...Array(7).fill(null), "ended", null]);
});

test("what passes by itself is never told, and begins to count anew", () => {
  const looks = [
    [0, "bad"],
    [200, "good"],
    [300, "bad"],
    [500, "bad"],
    [599, "unclear"],
    [600, "bad"],
  ] as const;
  expect(watch(looks)).toEqual([null, null, null, null, null, "begun"]);
});

test("whatever is seen, beginning and end alternate, and neither is told before its time", () => {
  const look = fc.tuple(fc.integer({ min: 1, max: 150 }), fc.constantFrom<Level>("bad", "unclear", "good"));
  fc.assert(
    fc.property(fc.array(look, { maxLength: 60 }), (steps) => {
      let at = 0;
      const looks = steps.map(([passed, level]) => [(at += passed), level] as const);
      const said = watch(looks).flatMap((word, index) => (word ? [{ word, index }] : []));
      expect(said.map(({ word }) => word)).toEqual(said.map((_one, n) => (n % 2 === 0 ? "begun" : "ended")));
      for (const { word, index } of said) {
        const since = looks[index]?.[0] ?? 0;
        const needed = word === "begun" ? patience.beginMs : patience.endMs;
        const other = word === "begun" ? "good" : "bad";
        const recent = looks.filter(([time], n) => n <= index && time > since - needed);
        expect(recent.some(([, level]) => level === other)).toBe(false);
      }
    }),
  );
});
