import { fallBack, fromModel, isByModel, saidAndPlanned, withoutModel } from "../by-model.ts";
import { closedGate } from "../gates.ts";
import { done, skipped } from "../outcome.ts";
import { engineTries, type Step } from "../step.ts";

/** Says how the sides felt. Only a language model can: no list of words does, in no language. */
export const rateSentiment: Step = {
  name: "rate_sentiment",
  needs: ["measure_text", "redact"],
  tries: engineTries,
  asks: (dossier) => isByModel(dossier, "sentiment") && closedGate(dossier) === null,
  input: saidAndPlanned,
  async run(dossier, tools) {
    const { enabled: isAsked } = dossier.plan.definition.sentiment;
    if (!isAsked) return skipped("disabled_by_plan", "The plan does not ask how the sides felt.");
    const gate = closedGate(dossier);
    if (gate) return gate;
    if (!isByModel(dossier, "sentiment")) return withoutModel(dossier, nobody);
    return fromModel(dossier, tools, "sentiment", (sentiment) => done({ sentiment }), nobody);
  },
  instead: (dossier, _tools, failure) => fallBack(dossier, failure, nobody),
};

function nobody() {
  return skipped("no_engine", "How the sides felt only a language model can tell, and none is set up for this call.");
}
