import type { SkipReason } from "@aftercall/contract/analysis/step.ts";
import type { Turn } from "@aftercall/contract/call.ts";

import { isSpeech } from "#/text/turns.ts";

import { digest, type Dossier } from "./dossier.ts";
import { type Finished, skipped } from "./outcome.ts";

/**
 * Why nothing is made of this call: the reason with which its analysis is skipped, or null when the plan's gates let it
 * through. A gate never removes a step; it says why there is no result.
 */
export function closedGate(dossier: Dossier): Finished | null {
  const found = closed(dossier);
  return found && skipped(...found);
}

/** The same for scorecard and coaching, which are about a talk between people. */
export function closedForScoring(dossier: Dossier): Finished | null {
  const gate = closedGate(dossier);
  if (gate) return gate;
  switch (dossier.found.machine) {
    case "voicemail":
      return skipped("voicemail", "What was said sounds like a voicemail, so there is nothing to score.");
    case "menu":
      return skipped(
        "ivr_only",
        "Nobody but an automatic exchange spoke on the other side, so there is nothing to score.",
      );
    case null:
      return null;
  }
}

function closed({ plan, seen, callId, found, steps }: Dossier): readonly [SkipReason, string] | null {
  const { gates } = plan.definition;
  if (seen.outcome === "voicemail") return ["voicemail", "A machine answered the call."];
  if (seen.outcome !== null && seen.outcome !== "completed" && seen.outcome !== "transferred") {
    return ["outcome_not_completed", `Only calls that were completed are analysed; this one ended as ${seen.outcome}.`];
  }
  if (steps.get("redact")?.state === "failed" && !found.masked) {
    return ["dependency_failed", "Personal data could not be masked, so nothing is made of what was said."];
  }
  if (!found.words) return ["no_transcript", "There is no transcript to work on."];
  const { turns, language } = found.words;
  const spoken = turns.filter(isSpeech);
  // Where nobody is told apart, neighbours are one turn, however many speak.
  const isToldApart = spoken.some(({ role }) => role !== "unknown");
  if ((isToldApart || spoken.length === 0) && spoken.length < gates.min_turns) {
    return ["too_few_turns", `The call has ${spoken.length} turns; the plan asks for ${gates.min_turns}.`];
  }
  const words = wordsOfCustomer(spoken);
  if (words < gates.min_customer_words) {
    const reason = words === 0 ? "no_human_speech" : "too_short";
    return [reason, `The customer said ${words} words; the plan asks for ${gates.min_customer_words}.`];
  }
  if (
    gates.languages.length > 0 &&
    language !== null &&
    !gates.languages.some((one) => isSameLanguage(one, language))
  ) {
    return ["language_unsupported", `The plan is for ${gates.languages.join(", ")}; this call is in ${language}.`];
  }
  if (shareOf(callId) >= gates.sample_rate) {
    return [
      "sampled_out",
      `The plan takes ${Math.round(gates.sample_rate * 100)} % of the calls; this is none of them.`,
    ];
  }
  return null;
}

/** Where nobody knows who speaks, everybody counts. */
function wordsOfCustomer(turns: readonly Turn[]): number {
  const isKnown = turns.some(({ role }) => role === "customer");
  const counted = isKnown ? turns.filter(({ role }) => role === "customer") : turns;
  return counted.reduce((sum, { text }) => sum + text.split(/\s+/u).filter(Boolean).length, 0);
}

export function isSameLanguage(a: string, b: string): boolean {
  return a.toLowerCase().split("-")[0] === b.toLowerCase().split("-")[0];
}

/** The same for a call every time: at least 0, below 1. */
function shareOf(callId: string): number {
  return Number.parseInt(digest(["sample", callId]).slice(0, 12), 16) / 2 ** 48;
}
