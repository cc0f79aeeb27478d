import { track as look } from "#/models/builtin/track.ts";

import { builtin } from "../builtin.ts";
import { digest } from "../dossier.ts";
import { closedGate } from "../gates.ts";
import { numbersOf } from "../numbers.ts";
import { done, skipped } from "../outcome.ts";
import { once, type Step } from "../step.ts";

/** Looks for the plan's phrases and numbers. Rules are code: no model is asked. */
export const track: Step = {
  name: "track",
  needs: ["measure_text", "measure_audio", "redact"],
  tries: once,
  asks: () => false,
  input: ({ found, plan, seen }) => {
    const ofPlan = [plan.id, plan.version];
    if (plan.definition.trackers.length === 0) return ofPlan;
    const { transcript } = found;
    return [transcript?.id, transcript?.digest, digest(numbersOf({ found, plan })), ...ofPlan, seen.outcome];
  },
  run(dossier) {
    const { found, plan } = dossier;
    const { trackers } = plan.definition;
    if (trackers.length === 0) return skipped("no_trackers", "The plan has no trackers.");
    const gate = closedGate(dossier);
    if (gate) return gate;
    if (!found.words) return skipped("no_transcript", "There is no transcript to work on.");
    return done({ trackers: look(found.words, numbersOf(dossier), trackers) }, { engine: builtin });
  },
};
