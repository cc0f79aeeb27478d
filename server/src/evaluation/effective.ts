import type { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import type { EffectiveEvaluation } from "@aftercall/contract/analysis/review.ts";
import type { CriterionResult, Evaluation, Verdict } from "@aftercall/contract/analysis/run.ts";

import { tally } from "./score.ts";

/** What a person says about a criterion. `points` null: what the verdict is worth. */
export type Said = { readonly criterionId: string; readonly verdict: Verdict; readonly points: number | null };

/** The scorecard with what people said in place of what the machine said; the last word on a criterion counts. */
export function effectiveOf(
  machine: Evaluation,
  said: readonly Said[],
  rubric: Pick<NonNullable<PlanDefinition["rubric"]>, "pass_threshold" | "min_coverage">,
): EffectiveEvaluation {
  const last = new Map(said.map((one) => [one.criterionId, one]));
  const results = machine.results.map((result) => {
    const word = last.get(result.criterion_id);
    return word ? withWord(result, word) : result;
  });
  return { ...tally(rubric, results), results };
}

function withWord(result: CriterionResult, { verdict, points }: Said): CriterionResult {
  return {
    ...result,
    verdict,
    points: pointsOf(verdict, points, result.max_points),
    unknown_reason: verdict === "unknown" ? "set_by_person" : null,
  };
}

function pointsOf(verdict: Verdict, points: number | null, max: number): number | null {
  if (verdict === "unknown" || verdict === "not_applicable") return null;
  if (points !== null) return Math.min(points, max);
  return { met: max, partial: max / 2, not_met: 0 }[verdict];
}
