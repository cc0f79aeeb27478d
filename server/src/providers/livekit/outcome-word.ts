import type { CallOutcome } from "@aftercall/contract/call.ts";

export type OutcomeWord = "completed" | "no_answer" | "busy" | "failed";

/**
 * An outcome in the words of the Call Outcomes API, which knows four: nobody of flesh answered a voicemail call, and a
 * transferred one was answered.
 */
export function outcomeWord(outcome: CallOutcome | null): OutcomeWord | null {
  switch (outcome) {
    case "voicemail":
      return "no_answer";
    case "transferred":
      return "completed";
    case "canceled":
      return "failed";
    case "completed":
    case "no_answer":
    case "busy":
    case "failed":
    case null:
      return outcome;
  }
}
