import type { Tracing } from "#/kernel/tracing.ts";

import type { PriceUsage } from "../cost.ts";
import { requestSpan, spentOn } from "../request-span.ts";
import type { LanguageEngine } from "./engine.ts";
import type { Generate } from "./generate.ts";

/** The same requests, each with a span of its own that says who was asked, what it took and how it ended, and nothing of its text. */
export function traced(generate: Generate, engine: LanguageEngine, tracing: Tracing, price: PriceUsage): Generate {
  const { provider, model, settings } = engine;
  const about = requestSpan("chat", engine, {
    "gen_ai.output.type": "json",
    "gen_ai.request.max_tokens": settings.outputTokensMax,
    "gen_ai.request.temperature": settings.temperature,
  });
  return (request) =>
    tracing.span(about, async (span) => {
      const answer = await generate(request);
      span.set({
        "gen_ai.response.model": answer.model,
        "gen_ai.response.finish_reasons": [answer.ended],
        ...spentOn(answer.usage, price({ component: "llm", provider, model, usage: answer.usage })),
      });
      return answer;
    });
}
