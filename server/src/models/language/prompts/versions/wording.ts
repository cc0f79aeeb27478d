import type { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";

import type { LanguageSection } from "#/models/language/answer.ts";

/** One version of what a model is told. Kept as it is: a new wording is a new version. */
export type Wording = {
  readonly opening: (mark: string, source: "call" | "notes") => string;
  readonly evidenceRule: string;
  readonly asked: Readonly<Record<LanguageSection, (plan: PlanDefinition) => string>>;
};
