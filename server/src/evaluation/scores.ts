import type { EffectiveEvaluation, Override } from "@aftercall/contract/analysis/review.ts";
import type { Score } from "@aftercall/contract/analysis/score.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import type { RunRow } from "./run.ts";

/**
 * The scorecard that holds, as scores for other tools: what people changed is theirs, everything else the machine's. What is not
 * known has no number: an unknown verdict is a word, and no points.
 */
export function scoresOf(
  { callId, planId, planVersion, trigger }: Pick<RunRow, "callId" | "planId" | "planVersion" | "trigger">,
  { score, coverage, result, results }: EffectiveEvaluation,
  overrides: readonly Pick<Override, "criterion_id" | "comment">[],
): Score[] {
  const about = {
    call_id: toPublicId("call", callId),
    config_id: trigger === "provider" ? null : `${toPublicId("analysis_plan", planId)}.${planVersion}`,
  };
  const word = (name: string, value: string) => ({ name, value, data_type: "categorical" as const });
  const number = (name: string, value: number | null) =>
    value === null ? [] : [{ name, value, data_type: "numeric" as const }];
  const whole = { source: overrides.length > 0 ? "annotation" : "eval", comment: null, ...about } as const;
  const last = new Map(overrides.map((one) => [one.criterion_id, one]));
  return [
    ...[...number("score", score), ...number("coverage", coverage), word("result", result)].map((one) => ({
      ...one,
      ...whole,
    })),
    ...results.flatMap(({ criterion_id: id, verdict, points, rationale }) => {
      const said = last.get(id);
      const by = said
        ? ({ source: "annotation", comment: said.comment || null } as const)
        : ({ source: "eval", comment: rationale } as const);
      const named = `criterion.${id}`;
      return [word(named, verdict), ...number(`${named}.points`, points)].map((one) => ({ ...one, ...by, ...about }));
    }),
  ];
}
