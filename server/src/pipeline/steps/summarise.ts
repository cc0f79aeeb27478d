import { summariseExtractively } from "#/models/builtin/summarise.ts";

import { builtin } from "../builtin.ts";
import { fallBack, fromModel, isByModel, saidAndPlanned, withoutModel } from "../by-model.ts";
import type { Dossier } from "../dossier.ts";
import { closedGate } from "../gates.ts";
import { done, skipped } from "../outcome.ts";
import { engineTries, type Step } from "../step.ts";

/** Says in a few lines what the call was about. Without a model: sentences of the call itself. */
export const summarise: Step = {
  name: "summarise",
  needs: ["measure_text", "redact"],
  tries: engineTries,
  asks: (dossier) => isByModel(dossier, "summary") && closedGate(dossier) === null,
  input: saidAndPlanned,
  async run(dossier, tools) {
    if (!dossier.plan.definition.summary.enabled) return skipped("disabled_by_plan", "The plan makes no summaries.");
    const gate = closedGate(dossier);
    if (gate) return gate;
    const make = () => ofItself(dossier);
    if (!isByModel(dossier, "summary")) return withoutModel(dossier, make);
    return fromModel(dossier, tools, "summary", (summary) => done({ summary }), make);
  },
  instead: (dossier, _tools, failure) => fallBack(dossier, failure, () => ofItself(dossier)),
};

function ofItself({ found, plan }: Dossier) {
  if (!found.words) return skipped("no_transcript", "There is no transcript to work on.");
  const { language, sentences_max: sentencesMax } = plan.definition.summary;
  const summary = summariseExtractively(found.words, { language: language ?? found.words.language, sentencesMax });
  return done({ summary }, { engine: builtin });
}
