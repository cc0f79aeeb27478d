import type { Rubric } from "@aftercall/contract/analysis/plan.ts";
import type { CriterionResult } from "@aftercall/contract/analysis/run.ts";

import { evaluate } from "#/evaluation/score.ts";
import { gradeByRules } from "#/models/builtin/grade.ts";

import { builtin } from "../builtin.ts";
import { fallBack, fromModel, isByModel, withoutModel } from "../by-model.ts";
import { digest, type Dossier } from "../dossier.ts";
import { closedForScoring } from "../gates.ts";
import { numbersOf } from "../numbers.ts";
import { done, type Finished, skipped } from "../outcome.ts";
import { engineTries, type Step } from "../step.ts";

/** Fills in the scorecard: what numbers, phrases and fields decide by our own code, the rest by a model or not at all. */
export const score: Step = {
  name: "score",
  needs: ["extract", "track", "measure_text", "measure_audio"],
  tries: engineTries,
  asks: (dossier) => isByModel(dossier, "evaluation") && closedForScoring(dossier) === null,
  input: ({ found, plan, seen }) => {
    const ofPlan = [plan.id, plan.version];
    if (!plan.definition.rubric) return ofPlan;
    const { transcript, fields, machine } = found;
    const measured = digest([numbersOf({ found, plan }), fields, machine]);
    return [transcript?.id, transcript?.digest, measured, ...ofPlan, seen.outcome];
  },
  async run(dossier, tools) {
    const { rubric } = dossier.plan.definition;
    if (!rubric) return skipped("no_rubric", "The plan has no rubric.");
    const gate = closedForScoring(dossier);
    if (gate) return gate;
    const own = byCode(dossier, rubric);
    const make = () => scored(rubric, own);
    if (isByModel(dossier, "evaluation")) {
      const use = (told: readonly CriterionResult[], flags: readonly string[]) =>
        done({ evaluation: evaluate(rubric, joined(own, told), flags) });
      return fromModel(dossier, tools, "evaluation", use, make);
    }
    const needsModel = rubric.criteria.some(({ kind }) => kind === "check" || kind === "scale");
    return needsModel ? withoutModel(dossier, make) : make();
  },
  instead(dossier, _tools, failure) {
    const { rubric } = dossier.plan.definition;
    return rubric ? fallBack(dossier, failure, () => scored(rubric, byCode(dossier, rubric))) : failure;
  },
};

function byCode({ found, plan }: Dossier, rubric: Rubric): CriterionResult[] {
  if (!found.words) return [];
  const metrics = numbersOf({ found, plan });
  const { language } = plan.definition.summary;
  return gradeByRules(rubric, { transcript: found.words, metrics, fields: found.fields, language });
}

/** A scorecard without a model says how much of it could be filled in. */
function scored(rubric: Rubric, results: readonly CriterionResult[]): Finished {
  const evaluation = evaluate(rubric, results, []);
  const waiting = rubric.criteria.filter(({ kind }) => kind === "check" || kind === "scale").length;
  if (waiting === 0) return done({ evaluation }, { engine: builtin });
  const detail = `${rubric.criteria.length - waiting} of ${rubric.criteria.length} criteria are scored; the others need a language model.`;
  return done({ evaluation }, { engine: builtin, state: "partial", reason: "no_engine", detail });
}

/** What only a model can judge from the model, everything else from our own code. */
function joined(own: readonly CriterionResult[], told: readonly CriterionResult[]): CriterionResult[] {
  const judged = new Set(told.map(({ criterion_id }) => criterion_id));
  return [...own.filter(({ criterion_id }) => !judged.has(criterion_id)), ...told];
}
