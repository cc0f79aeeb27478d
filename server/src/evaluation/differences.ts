import { isDeepStrictEqual } from "node:util";

import type { Evaluation, ExtractedField } from "@aftercall/contract/analysis/run.ts";
import type { Difference, Expected } from "@aftercall/contract/analysis/test-case.ts";

type Made = {
  readonly fields: readonly ExtractedField[];
  readonly evaluation: Pick<Evaluation, "results"> | null;
};

/** What came out otherwise than it was expected; a field or criterion that is gone is a difference too. */
export function differencesOf(expected: Expected, { fields, evaluation }: Made): Difference[] {
  const values = new Map(fields.map((field) => [field.name, valueOf(field)]));
  const verdicts = new Map(evaluation?.results.map((result) => [result.criterion_id, result.verdict]));
  return [
    ...expected.fields
      .map(({ name, value = null }) => ({ name, expected: value, actual: values.get(name) ?? null }))
      .filter((one) => !values.has(one.name) || !isDeepStrictEqual(one.expected, one.actual))
      .map((one) => ({ kind: "field" as const, ...one })),
    ...expected.criteria
      .map(({ criterion_id: name, verdict }) => ({ name, expected: verdict, actual: verdicts.get(name) ?? null }))
      .filter((one) => one.expected !== one.actual)
      .map((one) => ({ kind: "criterion" as const, ...one })),
  ];
}

/** What came out of a call, as something to expect: what could not be told is left open. */
export function expectedFrom({ fields, evaluation }: Made): Expected {
  return {
    fields: fields
      .filter(({ state }) => state === "found" || state === "not_mentioned")
      .map((field) => ({ name: field.name, value: valueOf(field) })),
    criteria: (evaluation?.results ?? [])
      .filter(({ verdict }) => verdict !== "unknown")
      .map(({ criterion_id, verdict }) => ({ criterion_id, verdict })),
  };
}

function valueOf({ state, value }: ExtractedField): unknown {
  return state === "found" ? value : null;
}
