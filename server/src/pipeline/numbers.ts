import type { MetricSet } from "@aftercall/contract/analysis/metrics.ts";

import { testsSentiment, withSentiment } from "#/metrics/sentiment.ts";

import type { Dossier } from "./dossier.ts";

/**
 * The numbers that a plan can hold against its limits, those from sound first. How the sides felt is among them where the plan
 * asks: a step that looks at it is done again when a model has said it, and waits for none.
 */
export function numbersOf({ found, plan }: Pick<Dossier, "found" | "plan">): MetricSet[] {
  const sets = [found.audio, found.text].filter((set) => set !== null);
  return testsSentiment(plan.definition) ? withSentiment(sets, found.sentiment) : sets;
}
