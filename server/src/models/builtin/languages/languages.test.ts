import { Rubric } from "@aftercall/contract/analysis/plan.ts";
import type { Transcript, Turn } from "@aftercall/contract/call.ts";
import { expect, test } from "vitest";

import { metricKeys } from "#/metrics/metric-keys.ts";
import { measureTurns } from "#/metrics/turns.ts";

import { coachFromRules } from "../coach.ts";
import { gradeByRules } from "../grade.ts";
import { dictionaryFor } from "./dictionary.ts";

const turn = (role: Turn["role"], text: string, start_ms: number, end_ms: number): Turn => {
  return { role, text, start_ms, end_ms };
};
const call: Transcript = {
  text: "",
  language: "he",
  turns: [
    turn("agent", "שלום, מדברת נועה, במה אפשר לעזור?", 0, 9_000),
    turn("customer", "אני צריכה שיווק נכס בבית שאן.", 10_000, 13_000),
  ],
};
const metrics = [measureTurns({ turns: call.turns, mediaMs: 14_000, language: "he" })];

const metric = (id: string, name: string, key: string, op: string, value: unknown) => {
  return { id, name, kind: "metric", metric: { key, role: "agent", op, value } };
};
const rubric = Rubric.parse({
  criteria: [
    metric("talk", "Leaves room", "talk_ratio", "<=", 0.6),
    metric("questions", "שואל שאלות", "questions", ">=", 2),
    metric("tone", "Tone", "sentiment", ">=", 1),
    { id: "bye", name: "נפרד", kind: "phrase", phrase: { id: "bye", name: "B", any_of: ["goodbye", "להתראות"] } },
    { id: "order", name: "הזמנה", kind: "extraction", field: "order_id", auto_fail: true },
    { id: "kind", name: "אדיבות", kind: "check" },
  ],
});

const graded = (language: string | null = null) =>
  gradeByRules(rubric, { transcript: call, metrics, fields: [], language });

test("what is said about a Hebrew call is said in Hebrew; names and quotes of the other direction are isolated in it", () => {
  expect(graded().map(({ rationale }) => rationale)).toEqual([
    "יחס דיבור (נציג): 75%; הרצוי: לכל היותר 60%.",
    "שאלות (נציג): 1; הרצוי: לפחות 2.",
    expect.stringMatching(/^רגש: לא ידוע בשיחה הזו \(/),
    "\u2068“goodbye”\u2069, “להתראות” לא נאמר בתורות 0 עד 1.",
    "השדה לא נבדק.",
    "נדרש מודל שפה.",
  ]);
  const { improvements } = coachFromRules(rubric, graded(), call);
  expect(improvements[0]).toMatchObject({
    text: "\u2068Leaves room\u2069. יחס דיבור (נציג): 75%; הרצוי: לכל היותר 60%.",
    why: "שווה נקודה אחת בכרטיס הניקוד.",
  });
  expect(improvements.at(-1)?.say_instead).toBe("להתראות");
  expect(JSON.stringify(improvements)).not.toContain("wanted");
});

test("the language asked for wins over that of the call, and a language without words of its own gets English", () => {
  expect(graded("en")[0]?.rationale).toBe("Talk ratio (agent): 75 %; wanted at most 60 %.");
  expect(graded("he-IL")[0]?.rationale).toBe(graded("he")[0]?.rationale);
  expect(dictionaryFor("xx").language).toBe("en");
  expect(dictionaryFor(null).quoted(2)).toBe("Extractive: 2 sentences, quoted.");
});

test("of what was said the words themselves are quoted, not others that would have done", () => {
  const greeting = Rubric.parse({
    criteria: [
      {
        id: "hi",
        name: "Greets",
        kind: "phrase",
        phrase: { id: "h", name: "h", any_of: ["hello", "hi", "hey", "שלום"] },
      },
    ],
  });
  const [result] = gradeByRules(greeting, { transcript: call, metrics, fields: [] });
  expect(result).toMatchObject({ verdict: "met", rationale: "“שלום” נאמר בתורות 0 עד 1.", missing: null });
});

test("one second and two are said as people say them in Hebrew", () => {
  const { amount } = dictionaryFor("he");
  expect([1000, 2000, 2500].map((ms) => amount(ms, "ms"))).toEqual(["שנייה אחת", "שתי שניות", "2.5 שניות"]);
});

test("every number about a call has a Hebrew name", () => {
  const hebrew = dictionaryFor("he");
  for (const key of metricKeys) expect(hebrew.measured(key, null, "1")).toMatch(/^[\u05d0-\u05ea־ 0-9]+: 1$/u);
});
