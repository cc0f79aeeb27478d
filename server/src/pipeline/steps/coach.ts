import { factOf } from "#/calls/project.ts";
import { coachFromRules } from "#/models/builtin/coach.ts";

import { builtin } from "../builtin.ts";
import { fallBack, fromModel, isByModel, withoutModel } from "../by-model.ts";
import { digest, type Dossier } from "../dossier.ts";
import { closedForScoring } from "../gates.ts";
import { done, type Finished, skipped } from "../outcome.ts";
import { engineTries, type Step } from "../step.ts";

/** Says what to do otherwise next time, from what the scorecard found. */
export const coach: Step = {
  name: "coach",
  needs: ["score"],
  tries: engineTries,
  asks: (dossier) => isByModel(dossier, "coaching") && reasonToSkip(dossier) === null,
  input: ({ found, plan, steps }) => [digest(found.evaluation), plan.id, plan.version, steps.get("score")?.reason],
  async run(dossier, tools) {
    const skip = reasonToSkip(dossier);
    if (skip) return skip;
    const make = () => fromRules(dossier);
    if (!isByModel(dossier, "coaching")) return withoutModel(dossier, make);
    return fromModel(dossier, tools, "coaching", (coaching) => done({ coaching }), make);
  },
  instead: (dossier, _tools, failure) => fallBack(dossier, failure, () => fromRules(dossier)),
};

function reasonToSkip(dossier: Dossier): Finished | null {
  const { plan, found, record } = dossier;
  const { rubric, coaching } = plan.definition;
  if (!rubric) return skipped("no_rubric", "The plan has no rubric.");
  if (!coaching.enabled) return skipped("disabled_by_plan", "The plan gives no coaching.");
  const gate = closedForScoring(dossier);
  if (gate) return gate;
  if (!found.evaluation) return skipped("dependency_failed", "There is no scorecard to learn from.");
  const isTraining = factOf(record.state, "purpose") === "training";
  const hasFailed = found.evaluation.results.some(({ verdict }) => verdict === "not_met" || verdict === "partial");
  // A practice call is always talked about; a real one only where there is something to say.
  return isTraining || hasFailed ? null : skipped("nothing_failed", "Everything that could be scored was met.");
}

function fromRules({ found, plan }: Dossier): Finished {
  const { rubric } = plan.definition;
  if (!rubric || !found.evaluation || !found.words) {
    return skipped("dependency_failed", "There is no scorecard to learn from.");
  }
  const language = plan.definition.summary.language ?? found.words.language;
  const coaching = coachFromRules(rubric, found.evaluation.results, found.words, language);
  return done({ coaching }, { engine: builtin });
}
