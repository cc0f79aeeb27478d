import type { MetricValue } from "@aftercall/contract/analysis/metrics.ts";
import type { MetricTest } from "@aftercall/contract/analysis/plan.ts";

import type { Dictionary } from "./languages/dictionary.ts";

/** A number for people, and what was asked for: `Talk ratio (agent): 88 %; wanted at most 60 %.` */
export function measuredAgainst({ key, role, value, unit }: MetricValue, test: MetricTest, words: Dictionary): string {
  const measured = words.measured(key, role, words.amount(value ?? 0, unit));
  return words.wanted(measured, wanted(test, unit, words));
}

function wanted({ op, value }: MetricTest, unit: MetricValue["unit"], words: Dictionary): string {
  const amount = (one: number) => words.amount(one, unit);
  if (typeof value !== "number") return words.between(amount(value[0]), amount(value[1]));
  return op === "between" ? amount(value) : words.comparison(op, amount(value));
}
