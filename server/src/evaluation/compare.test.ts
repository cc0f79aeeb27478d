import type { ExtractedField } from "@aftercall/contract/analysis/run.ts";
import { expect, test } from "vitest";

import { compareRuns, summarise } from "./compare.ts";
import type { RunRow } from "./run.ts";

test("a field that one run has not and the other heard nothing of is no change, and counts as agreement", () => {
  const comparison = compareRuns(runOf([]), runOf([fieldOf("city", "not_mentioned"), fieldOf("floor", "skipped")]));
  expect(comparison).toMatchObject({
    is_same: true,
    fields: [
      { name: "city", is_same: true, before: null, after: null, state_before: null, state_after: "not_mentioned" },
      { name: "floor", is_same: true, state_before: null, state_after: "skipped" },
    ],
  });
  expect(summarise([comparison])).toMatchObject({
    compared: 1,
    unchanged: 1,
    fields: [{ agreement: 1 }, { agreement: 1 }],
  });
});

test("a field that became ambiguous is a change, and its states say which", () => {
  const [before, after] = [fieldOf("city", "not_mentioned"), fieldOf("city", "ambiguous")];
  expect(compareRuns(runOf([before]), runOf([after]))).toMatchObject({
    is_same: false,
    fields: [{ before: null, after: null, state_before: "not_mentioned", state_after: "ambiguous" }],
  });
});

test.each([
  ["another value", fieldOf("city", "found", "Haifa"), false],
  ["the same value", fieldOf("city", "found", "Eilat"), true],
  ["none", fieldOf("city", "not_mentioned"), false],
])("a value and then %s", (_, after, isSame) => {
  expect(compareRuns(runOf([fieldOf("city", "found", "Eilat")]), runOf([after])).is_same).toBe(isSame);
});

function fieldOf(name: string, state: ExtractedField["state"], value: unknown = null): ExtractedField {
  return { name, value, state, confidence: null, rationale: null, candidates: [], evidence: [], method: "parser" };
}

function runOf(fields: readonly ExtractedField[]): RunRow {
  const id = "00000000-0000-7000-8000-000000000000";
  return {
    tenantId: id,
    id,
    callId: id,
    planId: id,
    planVersion: 1,
    planName: "",
    trigger: "bulk",
    jobId: null,
    status: "succeeded",
    isCurrent: false,
    isStale: false,
    createdAt: new Date(0),
    finishedAt: null,
    transcriptId: null,
    sections: {},
    summary: null,
    fields,
    trackers: [],
    topics: [],
    sentiment: null,
    evaluation: null,
    coaching: null,
    usage: null,
    cost: [],
  };
}
