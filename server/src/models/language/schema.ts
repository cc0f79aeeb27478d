import type { Criterion, FieldDef, PlanDefinition } from "@aftercall/contract/analysis/plan.ts";

import type { LanguageSection } from "./answer.ts";
import { wireSchemaOf } from "./wire-schema.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The schema of one answer with the sections that are asked for. Every property is required; what is absent is null. */
export function answerSchema(plan: PlanDefinition, sections: readonly LanguageSection[]): JsonSchema {
  return object(Object.fromEntries(sections.map((name) => [name, sectionSchema(plan, name)])));
}

export function sectionSchema(plan: PlanDefinition, name: LanguageSection): JsonSchema {
  switch (name) {
    case "summary":
      return summary;
    case "extraction":
      return object(Object.fromEntries(askedFields(plan).map((field) => [field.name, fieldSchema(field)])));
    case "topics":
      return list(object({ name: plan.topics.free ? text : oneOf(...topicNames(plan)), evidence }));
    case "sentiment":
      return sentiment;
    case "evaluation":
      return object(Object.fromEntries(askedCriteria(plan).map((one) => [one.id, criterionSchema(one)])));
    case "coaching":
      return coaching;
  }
}

/** Fields that only a model can fill. */
export function askedFields(plan: PlanDefinition): readonly FieldDef[] {
  return plan.fields.filter(({ kind }) => kind === "ai");
}

/** The topics that a plan has words for: its own list, and what its trackers name. */
export function topicNames({ topics, trackers }: PlanDefinition): readonly string[] {
  return [...new Set([...topics.list.map(({ name }) => name), ...trackers.flatMap(({ topic }) => topic ?? [])])];
}

/** Whether a model is to say what a call is about. */
export function asksForTopics({ topics }: PlanDefinition): boolean {
  return topics.free || topics.list.length > 0;
}

/** Criteria that only a model can judge. */
export function askedCriteria(plan: PlanDefinition): readonly Criterion[] {
  return plan.rubric?.criteria.filter(({ kind }) => kind === "check" || kind === "scale") ?? [];
}

/** The statements of a `check` criterion; one without any is a statement itself. */
export function checksOf({ id, name, description, checks }: Criterion): Criterion["checks"] {
  return checks.length > 0 ? checks : [{ id, text: description || name, polarity: "must" }];
}

function object(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}
const text: JsonSchema = { type: "string" };
const textOrNull: JsonSchema = { type: ["string", "null"] };
const numberOrNull: JsonSchema = { type: ["number", "null"] };
const list = (items: JsonSchema): JsonSchema => ({ type: "array", items });
const oneOf = (...values: (string | null)[]): JsonSchema => ({
  type: values.includes(null) ? ["string", "null"] : "string",
  enum: values,
});

const evidence = list(object({ turn: text, quote: text }));

const summary = object({
  title: textOrNull,
  text,
  bullets: list(text),
  next_steps: list(object({ text, owner: oneOf("agent", "customer", null), due: textOrNull, evidence })),
  evidence,
});

const felt = object({ score: numberOrNull, evidence });
const feltBySide = object({ whole: felt, first_quarter: felt, last_quarter: felt });
const sentiment = object({ agent: feltBySide, customer: feltBySide });

const coaching = object({
  strengths: list(text),
  improvements: list(object({ text, why: text, say_instead: textOrNull, criterion_id: textOrNull, evidence })),
  keep: list(text),
  start: list(text),
  stop: list(text),
  highlights: list(object({ label: text, kind: oneOf("positive", "negative", "key_moment"), turn: text, quote: text })),
});

function fieldSchema({ schema }: FieldDef): JsonSchema {
  const value = wireSchemaOf(schema);
  return object({
    state: oneOf("found", "not_mentioned", "ambiguous"),
    value: { anyOf: [value, { type: "null" }] },
    candidates: list(value),
    confidence: numberOrNull,
    rationale: textOrNull,
    evidence,
  });
}

function criterionSchema(criterion: Criterion): JsonSchema {
  const judged = { rationale: textOrNull, missing: textOrNull, confidence: numberOrNull };
  if (criterion.kind === "scale") {
    const applies = criterion.not_applicable_when === null ? {} : { applies: { type: "boolean" } as JsonSchema };
    return object({ ...applies, score: numberOrNull, evidence, ...judged });
  }
  const answer = object({ answer: oneOf("yes", "no", "unclear", "not_applicable"), evidence });
  return object({ checks: object(Object.fromEntries(checksOf(criterion).map(({ id }) => [id, answer]))), ...judged });
}
