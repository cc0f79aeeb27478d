import type { CallOutcome } from "@aftercall/contract/call.ts";

import reasons from "./ended-reasons.json" with { type: "json" };

const known: ReadonlyMap<string, string> = new Map(Object.entries(reasons.outcome));

/**
 * How a call went, by Vapi's `endedReason`: 597 known values (@vapi-ai/server-sdk), and a rule for those to come.
 * `lasted`: the call went on for some time.
 */
export function outcomeOf(reason: string, lasted: boolean): CallOutcome {
  const word = reason.toLowerCase();
  return (known.get(word) as CallOutcome | undefined) ?? outcomeOfUnknown(word, lasted);
}

function outcomeOfUnknown(reason: string, lasted: boolean): CallOutcome {
  if (reason === "customer-busy") return "busy";
  if (reason.includes("did-not-answer")) return "no_answer";
  if (/error|fault|failed/.test(reason)) return "failed";
  return lasted ? "completed" : "failed";
}
