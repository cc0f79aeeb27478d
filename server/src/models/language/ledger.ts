import { createHash } from "node:crypto";

import type { CostLine, Usage } from "@aftercall/contract/analysis/engine.ts";

import type { PriceUsage } from "../cost.ts";
import type { Spent } from "../failure.ts";
import { sumUsage } from "../usage.ts";
import type { KeptAnswers } from "./answer.ts";
import type { LanguageEngine } from "./engine.ts";
import type { Generate } from "./generate.ts";

/** Keeps the books of one analysis: what is answered already is not asked again, what is asked is counted. */
export function keepingBooks(
  generate: Generate,
  engine: LanguageEngine,
  price: PriceUsage,
  answers: KeptAnswers | undefined,
): { readonly generate: Generate; readonly spent: () => Spent } {
  const usages: Usage[] = [];
  const costOf = (usage: Usage): CostLine[] =>
    price({ component: "llm", provider: engine.provider, model: engine.model, usage });
  return {
    async generate(request) {
      const { instructions, messages, schema } = request;
      const asked = JSON.stringify([engine.vendor, engine.baseUrl, engine.model, instructions, messages, schema]);
      const hash = createHash("sha256").update(asked).digest();
      const kept = await answers?.find(hash);
      if (kept) return kept;
      const answer = await generate(request);
      usages.push(answer.usage);
      await answers?.keep(hash, answer, costOf(answer.usage));
      return answer;
    },
    spent: () => ({ usage: sumUsage(usages), cost: usages.flatMap(costOf) }),
  };
}
