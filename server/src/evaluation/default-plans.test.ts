import { expect, test } from "vitest";

import { dictionaryFor } from "#/models/builtin/languages/dictionary.ts";

import { trainingPlan } from "./default-plans.ts";

test("the built-in rubric for practice calls has the names of its criteria in every language of the analyzer", () => {
  const criteria = trainingPlan.definition.rubric?.criteria ?? [];
  const names = Object.fromEntries(criteria.map(({ id, name }) => [id, name]));
  expect(dictionaryFor("en").criteria).toEqual(names);
  expect(Object.keys(dictionaryFor("he").criteria)).toEqual(Object.keys(names));
});
