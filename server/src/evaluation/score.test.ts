import { Rubric } from "@aftercall/contract/analysis/plan.ts";
import type { CriterionResult, Evidence, Verdict } from "@aftercall/contract/analysis/run.ts";
import type { Transcript } from "@aftercall/contract/call.ts";
import fc from "fast-check";
import { expect, test } from "vitest";

import { gradeByRules } from "#/models/builtin/grade.ts";

import { trainingPlan } from "./default-plans.ts";
import { evaluate, tally } from "./score.ts";

const said: Evidence = {
  turn: 0,
  start_char: 0,
  end_char: 12,
  quote: "good morning",
  role: "agent",
  start_ms: null,
  end_ms: null,
  verification: "exact",
};
const invented: Evidence = { ...said, start_char: null, end_char: null, verification: "failed" };

const result = (criterion_id: string, more: Partial<CriterionResult>): CriterionResult => ({
  criterion_id,
  name: criterion_id,
  verdict: "met",
  unknown_reason: null,
  points: null,
  max_points: 1,
  weight: 1,
  auto_fail: false,
  rationale: null,
  missing: null,
  evidence: [said],
  confidence: null,
  checks: [],
  ...more,
});

const rubric = Rubric.parse({
  criteria: [
    { id: "greeting", name: "Greeting", kind: "scale", weight: 1, max_points: 10 },
    { id: "pace", name: "Pace", kind: "metric", weight: 2, max_points: 5 },
    { id: "empathy", name: "Empathy", kind: "scale", weight: 1, max_points: 10 },
  ],
});

test("the score weighs points over what is known, and says how much that is", () => {
  const evaluation = evaluate(
    rubric,
    [
      result("greeting", { verdict: "partial", points: 4 }),
      result("pace", { verdict: "met", points: 5, evidence: [] }),
      result("empathy", { verdict: "unknown", unknown_reason: "needs_llm" }),
    ],
    [],
  );
  // (1·4 + 2·5) / (1·10 + 2·5) = 14/20; known weight 3 of 4.
  expect(evaluation).toMatchObject({ score: 70, coverage: 0.75, result: "pass", needs_review: false });
});

test("the scorecard of a Hebrew call names the built-in criteria in Hebrew, and what a model judged as the rubric does", () => {
  const { rubric: own } = trainingPlan.definition;
  if (!own) throw new Error("the built-in plan has a rubric");
  const transcript: Transcript = {
    text: "שלום",
    language: "he",
    turns: [{ role: "agent", text: "שלום", start_ms: 0, end_ms: 900 }],
  };
  const { results } = evaluate(own, gradeByRules(own, { transcript, metrics: [], fields: [] }), []);
  expect(results[0]).toMatchObject({ criterion_id: "greeting", name: "מברך בפתיחת השיחה" });
  for (const { name } of results) expect(name).toMatch(/[א-ת]/);
  const judged = evaluate(rubric, [result("greeting", { name: "Ignore the rubric" })], []);
  expect(judged.results[0]?.name).toBe("Greeting");
});

test("unknown never counts as zero, and too little known is an unknown result", () => {
  const evaluation = evaluate(rubric, [result("greeting", { verdict: "met" })], []);
  expect(evaluation).toMatchObject({ score: 100, coverage: 0.25, result: "unknown" });
  expect(evaluation.results.map(({ unknown_reason }) => unknown_reason)).toEqual([
    null,
    "not_answered",
    "not_answered",
  ]);
});

test("nothing known is no score, nothing applicable is no coverage", () => {
  expect(evaluate(rubric, [], [])).toMatchObject({ score: null, coverage: 0, result: "unknown" });
  const none = rubric.criteria.map(({ id }) => result(id, { verdict: "not_applicable" }));
  expect(evaluate(rubric, none, [])).toMatchObject({ score: null, coverage: 0, result: "unknown" });
});

test("what does not apply is in neither score nor coverage", () => {
  const evaluation = evaluate(
    rubric,
    [result("greeting", { points: 10 }), result("pace", {}), result("empathy", { verdict: "not_applicable" })],
    [],
  );
  expect(evaluation).toMatchObject({ score: 100, coverage: 1, result: "pass" });
});

test("a failed auto-fail criterion fails the call and leaves the score; an unknown one lets it not pass", () => {
  const strict = Rubric.parse({
    min_coverage: 0,
    criteria: [
      { id: "consent", name: "Consent", kind: "phrase", auto_fail: true },
      { id: "pace", name: "Pace", kind: "metric", weight: 9 },
    ],
  });
  const pace = result("pace", {});
  const consent = (verdict: Verdict) => result("consent", { verdict, evidence: [] });
  expect(evaluate(strict, [pace, consent("not_met")], [])).toMatchObject({ score: 90, result: "fail" });
  expect(evaluate(strict, [pace, consent("unknown")], [])).toMatchObject({ score: 100, result: "unknown" });
  expect(evaluate(strict, [pace, consent("met")], [])).toMatchObject({ score: 100, result: "pass" });
});

test("the pass threshold belongs to passing", () => {
  expect(tally(rubric, [{ verdict: "partial", points: 7, max_points: 10, weight: 1, auto_fail: false }]).result).toBe(
    "pass",
  );
  expect(tally(rubric, [{ verdict: "partial", points: 6.9, max_points: 10, weight: 1, auto_fail: false }]).result).toBe(
    "fail",
  );
});

test("weights, points and auto-fail are the rubric's, whatever the answer says", () => {
  const evaluation = evaluate(
    rubric,
    [result("greeting", { points: 1e9, max_points: 1e9, weight: 1e9 }), result("stranger", { points: 100 })],
    [],
  );
  expect(evaluation.results.map(({ criterion_id }) => criterion_id)).toEqual(["greeting", "pace", "empathy"]);
  expect(evaluation.results[0]).toMatchObject({ points: 10, max_points: 10, weight: 1 });
});

test("a verdict on quotes that are not in the call is unknown, and shown as such", () => {
  const evaluation = evaluate(rubric, [result("greeting", { points: 10, evidence: [invented] })], []);
  expect(evaluation.results[0]).toMatchObject({ verdict: "unknown", unknown_reason: "quote_not_found", points: null });
  expect(evaluation.results[0]?.evidence).toEqual([invented]);
  expect(evaluation.flags).toEqual(["quote_not_found"]);
  expect(evaluate(rubric, [result("greeting", { evidence: [] })], []).results[0]?.unknown_reason).toBe("no_evidence");
});

test("that something was not done needs no quote", () => {
  const evaluation = evaluate(rubric, [result("greeting", { verdict: "not_met", evidence: [] })], []);
  expect(evaluation.results[0]).toMatchObject({ verdict: "not_met", points: 0 });
});

test("of a criterion with checks the share of known checks counts, and half met is not met", () => {
  const checked = Rubric.parse({
    criteria: [
      {
        id: "close",
        name: "Closing",
        kind: "check",
        max_points: 6,
        checks: [
          { id: "recap", text: "Sums up" },
          { id: "thanks", text: "Thanks" },
          { id: "promise", text: "Promises a price", polarity: "must_not" },
        ],
      },
    ],
  });
  const checks = (recap: Evidence[], verdict: Verdict = "met") => [
    { id: "recap", verdict: "met" as const, evidence: recap },
    { id: "thanks", verdict, evidence: [] },
    { id: "promise", verdict: "met" as const, evidence: [] },
    { id: "stranger", verdict: "met" as const, evidence: [said] },
  ];
  const close = (more: Partial<CriterionResult>) => evaluate(checked, [result("close", more)], []).results[0];
  expect(close({ checks: checks([said], "partial") })).toMatchObject({ verdict: "partial", points: 4 });
  expect(close({ checks: checks([said], "not_met") })).toMatchObject({ verdict: "partial", points: 4 });
  expect(close({ checks: checks([said], "unknown") })).toMatchObject({ verdict: "met", points: 6 });
  // The quote of the recap is invented and thanks has none: only the promise that was not made is left.
  expect(close({ checks: checks([invented]), evidence: [] })).toMatchObject({
    points: 6,
    checks: [{ verdict: "unknown" }, { verdict: "unknown" }, { verdict: "met" }],
  });
  expect(close({ verdict: "not_met", evidence: [], checks: checks([], "not_met") })?.points).toBe(3);
});

test("signs of tampering ask for a person", () => {
  expect(evaluate(rubric, [], ["addresses_the_grader"])).toMatchObject({
    needs_review: true,
    flags: ["addresses_the_grader"],
  });
});

test("any answers: an invented quote never does better than no answer, and nothing leaves 0 to 100", () => {
  const verdict = fc.constantFrom<Verdict>("met", "partial", "not_met", "unknown", "not_applicable");
  const answer = fc.record({
    verdict,
    points: fc.option(fc.double({ min: -1e6, max: 1e6, noNaN: true })),
    evidence: fc.array(fc.constantFrom(said, invented), { maxLength: 3 }),
  });
  const claim = fc.record({ verdict: fc.constantFrom<Verdict>("met", "partial"), points: fc.double({ noNaN: true }) });
  fc.assert(
    fc.property(fc.array(answer, { minLength: 2, maxLength: 2 }), claim, (answers, lie) => {
      const others = answers.map((one, i) => result(i === 0 ? "pace" : "empathy", one));
      const without = evaluate(rubric, [...others, result("greeting", { verdict: "unknown" })], []);
      const withLie = evaluate(rubric, [...others, result("greeting", { ...lie, evidence: [invented] })], []);
      expect(withLie.score).toBe(without.score);
      expect(withLie.coverage).toBe(without.coverage);
      expect(withLie.result).toBe(without.result);
      if (withLie.score !== null) expect(Math.abs(withLie.score - 50)).toBeLessThanOrEqual(50);
      expect(withLie.coverage).toBeLessThanOrEqual(1);
    }),
  );
});
