import { expect, test } from "vitest";

import { parse } from "../../test/harness/provider-fixtures.ts";

function analysisOf(provider: string, body: object) {
  const [event] = parse(provider, Buffer.from(JSON.stringify(body)));
  return event?.facts.provider_analysis ?? null;
}

const report = (analysis: object, artifact: object = {}) => ({
  message: { type: "end-of-call-report", call: { id: "7420f27a-30fd-4f49-a995-5549ae7cc00d" }, analysis, artifact },
});

test("Vapi: structured outputs, several structured data and scorecards are kept; a score counts where there is one", () => {
  const scorecard = { name: "QA", score: 70, scoreNormalized: 70, metricPoints: { a: 70, b: 0 } };
  const analysis = { structuredDataMulti: [{ mood: "calm" }, { topics: ["price"] }], structuredData: "yes" };
  const outputs = { "5f0b": { name: "lead", result: { city: "Haifa" } }, "6a1c": { result: false } };
  expect(
    analysisOf("vapi", report(analysis, { scorecards: { s1: scorecard }, structuredOutputs: outputs })),
  ).toMatchObject({
    provider: "vapi",
    score: 70,
    fields: [
      { name: "structured_data", value: "yes" },
      { name: "mood", value: "calm" },
      { name: "topics", value: ["price"] },
      { name: "lead", value: { city: "Haifa" } },
      { name: "6a1c", value: false },
    ],
    criteria: [{ id: "s1", name: "QA", verdict: "partial", points: 70, max_points: 100 }],
  });
  const two = { s1: scorecard, s2: { ...scorecard, scoreNormalized: 100 } };
  expect(analysisOf("vapi", report({}, { scorecards: two }))).toMatchObject({
    score: null,
    criteria: [{ verdict: "partial" }, { verdict: "met" }],
  });
});

test("Vapi: what an evaluation means that is neither true nor false is not guessed", () => {
  expect(analysisOf("vapi", report({ successEvaluation: "8" }))).toMatchObject({
    result: "unknown",
    score: null,
    criteria: [{ id: "success_evaluation", verdict: "unknown", rationale: "8" }],
  });
  expect(analysisOf("vapi", report({ successEvaluation: false }))).toMatchObject({ result: "fail", criteria: [] });
  expect(analysisOf("vapi", report({}))).toBeNull();
});

test("a mapped system: its analysis is kept whole, its summary is not a field again", () => {
  const analysis = { call_summary: "Wants a visit.", user_sentiment: "Positive", call_successful: true };
  expect(analysisOf("generic", { call: { call_id: "c-1", call_analysis: analysis } })).toMatchObject({
    provider: "generic",
    summary: "Wants a visit.",
    result: "pass",
    fields: [
      { name: "user_sentiment", value: "Positive" },
      { name: "call_successful", value: true },
    ],
  });
});
