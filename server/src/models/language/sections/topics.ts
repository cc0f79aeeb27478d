import type { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";

import type { NamedTopic, NamedTopics } from "../answer.ts";
import { type Citation, isVerified, type Witness } from "../evidence.ts";
import { plainText } from "../plain.ts";
import { topicNames } from "../schema.ts";

type Given = readonly { readonly name: string; readonly evidence: readonly Citation[] }[];

/**
 * What the call is about as a model named it: with a name of the plan, or its own where the plan allows that, and only with words
 * of the call behind it. Words that were meant for whoever reads the call are no topic of it.
 */
export function topicsOf(
  value: unknown,
  plan: PlanDefinition,
  witness: Witness,
  suspicious: ReadonlySet<number>,
): NamedTopics {
  const known = new Map(topicNames(plan).map((name) => [keyOf(name), name]));
  const topics = new Map<string, NamedTopic>();
  const unproven = new Set<string>();
  // Right by its schema, or it would not be here.
  for (const given of (value as Given).slice(0, topicsMax)) {
    const own = plan.topics.free ? plainText(given.name, nameMax) : "";
    const name = known.get(keyOf(given.name)) ?? own;
    if (name === "") continue;
    const evidence = witness
      .of(given.evidence)
      .filter((quote) => isVerified(quote) && quote.turn !== null && !suspicious.has(quote.turn));
    const key = keyOf(name);
    const before = topics.get(key);
    if (evidence.length > 0) topics.set(key, { topic: name, evidence: [...(before?.evidence ?? []), ...evidence] });
    else if (!before) unproven.add(name);
  }
  const isProven = (name: string) => topics.has(keyOf(name));
  return { topics: [...topics.values()], unproven: [...unproven].filter((name) => !isProven(name)) };
}

const topicsMax = 20;
const nameMax = 100;

/** "Billing " is "billing". */
function keyOf(name: string): string {
  return plainText(name, nameMax).normalize("NFKC").toLowerCase();
}
