import type { NamedTopics } from "#/models/language/answer.ts";
import { asksForTopics } from "#/models/language/schema.ts";

import { builtin } from "../builtin.ts";
import { fallBack, fromModel, isByModel, saidAndPlanned, withoutModel } from "../by-model.ts";
import type { Dossier } from "../dossier.ts";
import { closedGate } from "../gates.ts";
import { done, type Finished, skipped } from "../outcome.ts";
import { engineTries, type Step } from "../step.ts";

/** Says what the call is about: what the trackers name, and what a model names beside them. */
export const nameTopics: Step = {
  name: "name_topics",
  needs: ["track", "measure_text", "redact"],
  tries: engineTries,
  asks: (dossier) => isByModel(dossier, "topics") && closedGate(dossier) === null,
  input: saidAndPlanned,
  async run(dossier, tools) {
    const isAsked = asksForTopics(dossier.plan.definition);
    if (!isAsked && !isTracked(dossier)) return skipped("no_topics", "The plan has no topics.");
    const gate = closedGate(dossier);
    if (gate) return gate;
    const make = () => byTrackers(dossier);
    if (!isByModel(dossier, "topics")) return isAsked ? withoutModel(dossier, make) : make();
    return fromModel(dossier, tools, "topics", named, make);
  },
  instead: (dossier, _tools, failure) => fallBack(dossier, failure, () => byTrackers(dossier)),
};

function isTracked({ plan }: Dossier): boolean {
  return plan.definition.trackers.some(({ topic }) => topic !== null);
}

/** What hits of trackers name stands with them: a run gathers it when it is shown. */
function byTrackers(dossier: Dossier): Finished {
  if (!isTracked(dossier)) return skipped("no_engine", "All topics of the plan need a language model.");
  if (dossier.steps.get("track")?.state !== "succeeded") {
    return skipped("dependency_failed", "The trackers that name topics did not run.");
  }
  if (!asksForTopics(dossier.plan.definition)) return done({ topics: [] }, { engine: builtin });
  const detail = "Only topics of trackers are named; the others of the plan need a language model.";
  return done({ topics: [] }, { engine: builtin, state: "partial", reason: "no_engine", detail });
}

function named({ topics, unproven }: NamedTopics): Finished {
  if (unproven.length === 0) return done({ topics });
  return done({ topics }, { detail: `Left out, because no quote for it is in the call: ${unproven.join(", ")}.` });
}
