import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { Ajv } from "ajv";
import fc from "fast-check";
import { expect, test } from "vitest";

import { problemsOf } from "./check-value.ts";
import { answerSchema } from "./schema.ts";
import { honest, testPlan } from "./test-model.ts";
import { wireSchemaOf } from "./wire-schema.ts";

const sections = ["summary", "extraction", "evaluation", "coaching"] as const;
const schema = answerSchema(testPlan, sections);

test("says what is wrong and where", () => {
  expect(problemsOf(schema, honest)).toEqual([]);
  expect(problemsOf(schema, { ...honest, summary: { ...honest.summary, bullets: [1], title: 5, extra: 1 } })).toEqual([
    "/summary/title must be string or null",
    "/summary/bullets/0 must be string",
    "/summary must not have extra",
  ]);
  expect(problemsOf(schema, [])).toEqual(["/ must be object"]);
  expect(problemsOf(schema, {})).toHaveLength(sections.length);
});

/** A value that is right, or that was changed in one place. */
const almost = fc.tuple(fc.nat(), fc.jsonValue({ maxDepth: 2 }), fc.boolean()).map(([at, other, isChanged]) => {
  const value: unknown = structuredClone(honest);
  if (!isChanged) return value;
  const places: [Record<string, unknown>, string][] = [];
  const walk = (one: unknown): void => {
    if (typeof one !== "object" || one === null) return;
    for (const [name, part] of Object.entries(one)) {
      places.push([one as Record<string, unknown>, name]);
      walk(part);
    }
  };
  walk(value);
  const [holder, name] = places[at % places.length] ?? [];
  if (holder && name !== undefined) holder[name] = other;
  return value;
});

test("accepts what a general validator accepts, and nothing else", () => {
  const validate = new Ajv({ strict: false, allowUnionTypes: true }).compile(schema);
  fc.assert(
    fc.property(almost, (value) => {
      expect(problemsOf(schema, value).length === 0).toBe(validate(value));
    }),
    { numRuns: 500 },
  );
});

test.each([
  [{ type: "string", enum: ["a", "b"] }, "a", "c"],
  [{ type: ["integer", "null"] }, 4, 4.5],
  [{ type: "array", items: { type: "number" }, minItems: 3 }, [1], ["x"]],
  [
    { type: "object", properties: { a: { type: "string" }, b: { type: "boolean" } }, required: ["a"] },
    { a: "x", b: null },
    { b: true },
  ],
  [{ pattern: "^a+$" }, "anything", 7],
  [{ type: "object", patternProperties: { "^(a+)+$": {} } }, {}, { a: 1 }],
])("a tenant's schema %j is told to models in what they all take", (own, right, wrong) => {
  const wire = wireSchemaOf(own);
  expect(problemsOf(wire, right)).toEqual([]);
  expect(problemsOf(wire, wrong)).not.toEqual([]);
  expect(JSON.stringify(wire)).not.toMatch(/pattern|minItems|\$ref/);
});

test("a large plan is checked in a moment", () => {
  const names = Array.from({ length: 100 }, (_, i) => `n${i}`);
  const plan = PlanDefinition.parse({
    fields: names.map((name) => ({ name, kind: "ai" })),
    rubric: { criteria: names.map((id) => ({ id, name: id, kind: "check", description: id })) },
  });
  const started = process.cpuUsage();
  problemsOf(answerSchema(plan, sections), { summary: {}, extraction: {}, evaluation: {}, coaching: {} });
  expect(process.cpuUsage(started).user / 1000).toBeLessThan(100);
});
