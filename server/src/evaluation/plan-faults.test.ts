import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { expect, test } from "vitest";

import { defaultPlan, trainingPlan } from "./default-plans.ts";
import { planFaults } from "./plan-faults.ts";

const faults = (given: object) => planFaults(PlanDefinition.parse(given));
const rubric = (criterion: object) => ({ rubric: { criteria: [{ id: "one", name: "One", ...criterion }] } });
const metric = { key: "talk_ratio", role: "agent", op: "<=", value: 0.6 };

test("the built-in plans can be published", () => {
  expect([planFaults(defaultPlan.definition), planFaults(trainingPlan.definition)]).toEqual([[], []]);
});

test.each<[string, object, string]>([
  ["a broken regular expression", { fields: [{ name: "a", kind: "regex", regex: "(" }] }, "/definition/fields/0/regex"],
  ["look-ahead", { fields: [{ name: "a", kind: "regex", regex: "a(?=b)" }] }, "/definition/fields/0/regex"],
  [
    "a back reference in a schema",
    { fields: [{ name: "a", kind: "ai", schema: { type: "string", pattern: "^(a+)\\1$" } }] },
    "/definition/fields/0/schema",
  ],
  ["a missing one", { fields: [{ name: "a", kind: "regex" }] }, "/definition/fields/0/regex"],
  ["no list of values", { fields: [{ name: "a", kind: "gazetteer" }] }, "/definition/fields/0/entries"],
  ["no parser", { fields: [{ name: "a", kind: "parser" }] }, "/definition/fields/0/parser"],
  [
    "a JSON Schema that is none",
    { fields: [{ name: "a", kind: "ai", schema: { type: "number?" } }] },
    "/definition/fields/0/schema",
  ],
  [
    "two fields of a name",
    {
      fields: [
        { name: "a", kind: "ai" },
        { name: "a", kind: "ai" },
      ],
    },
    "/definition/fields/1/name",
  ],
  ["an empty tracker", { trackers: [{ id: "t", name: "T" }] }, "/definition/trackers/0/any_of"],
  ["a field that is not there", rubric({ kind: "extraction", field: "city" }), "/definition/rubric/criteria/0/field"],
  ["no field at all", rubric({ kind: "extraction" }), "/definition/rubric/criteria/0/field"],
  ["no metric", rubric({ kind: "metric" }), "/definition/rubric/criteria/0/metric"],
  [
    "an unknown metric",
    rubric({ kind: "metric", metric: { ...metric, key: "vibes" } }),
    "/definition/rubric/criteria/0/metric/key",
  ],
  [
    "one number for two",
    rubric({ kind: "metric", metric: { ...metric, op: "between" } }),
    "/definition/rubric/criteria/0/metric/value",
  ],
  [
    "two numbers the wrong way round",
    rubric({ kind: "metric", metric: { ...metric, op: "between", value: [2, 1] } }),
    "/definition/rubric/criteria/0/metric/value",
  ],
  ["no phrase", rubric({ kind: "phrase" }), "/definition/rubric/criteria/0/phrase"],
  ["nothing to check", rubric({ kind: "check" }), "/definition/rubric/criteria/0/checks"],
  [
    "an anchor beyond the points",
    rubric({ kind: "scale", anchors: [{ score: 9, description: "" }] }),
    "/definition/rubric/criteria/0/anchors/0/score",
  ],
])("%s is named by its place", (_name, plan, pointer) => {
  expect(faults(plan).map((fault) => fault.pointer)).toEqual([pointer]);
});

test("a criterion may refer to a field of the plan", () => {
  expect(faults({ fields: [{ name: "city", kind: "ai" }], ...rubric({ kind: "extraction", field: "city" }) })).toEqual(
    [],
  );
});
