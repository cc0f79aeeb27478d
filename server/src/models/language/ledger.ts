import { createHash } from "node:crypto";

import type { CostLine, Usage } from "@aftercall/contract/analysis/engine.ts";

import type { PriceUsage } from "../cost.ts";
import type { Spent } from "../failure.ts";
import { sumUsage } from "../usage.ts";
import type { Generated, KeptAnswers } from "./answer.ts";
import type { LanguageEngine } from "./engine.ts";
import type { Generate } from "./generate.ts";
import { estimateTokens } from "./tokens.ts";

/** Keeps the books of one analysis: what is answered already is not asked again, what is asked is counted. */
export function keepingBooks(
  generate: Generate,
  engine: LanguageEngine,
  price: PriceUsage,
  answers: KeptAnswers | undefined,
): {
  readonly generate: Generate;
  readonly spent: () => Spent;
  /** Whether a server read far less than it was sent: some cut a prompt that is too long for them, without a word. */
  readonly seemsCut: () => boolean;
} {
  const usages: Usage[] = [];
  let isCut = false;
  const costOf = (usage: Usage): CostLine[] =>
    price({ component: "llm", provider: engine.provider, model: engine.model, usage });
  return {
    async generate(request) {
      const { instructions, messages, schema } = request;
      const asked = JSON.stringify([engine.vendor, engine.baseUrl, engine.model, instructions, messages, schema]);
      const hash = createHash("sha256").update(asked).digest();
      const sent = estimateTokens(instructions + messages.map(({ content }) => content).join(""));
      const look = (answer: Generated) => {
        const { input_tokens: readTokens } = answer.usage;
        isCut ||= readTokens !== null && sent > cutTokensMin && readTokens < sent * cutShare;
        return answer;
      };
      const kept = await answers?.find(hash);
      if (kept) return look(kept);
      const answer = look(await generate(request));
      usages.push(answer.usage);
      await answers?.keep(hash, answer, costOf(answer.usage));
      return answer;
    },
    seemsCut: () => isCut,
    spent: () => ({ usage: sumUsage(usages), cost: usages.flatMap(costOf) }),
  };
}

/** The estimate errs by less than this, and not on the low side. */
const cutShare = 0.3;
/** Shorter prompts fit everywhere. */
const cutTokensMin = 2_000;
