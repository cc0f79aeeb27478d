import type { JobEstimate } from "@aftercall/contract/analysis/job.ts";
import type { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import type { SectionName } from "@aftercall/contract/analysis/run.ts";
import type { Money } from "@aftercall/contract/call.ts";

/** A language model and what its tokens cost; null: no price is known. */
export type Priced = {
  readonly model: string;
  readonly moneyFor: (tokens: { readonly input: number; readonly output: number }) => Money | null;
};

/** Letters of a token: between the four of English and the two of Hebrew, on the dear side. */
const charactersPerToken = 2.5;
/** Instructions and schema of one request, before the plan's own words. */
const promptTokens = 1_200;
const outputTokens: Readonly<Record<SectionName, number>> = {
  summary: 350,
  extraction: 60,
  tracking: 0,
  topics: 150,
  sentiment: 200,
  evaluation: 120,
  coaching: 400,
};

/** What the analysis of so many calls with so many characters takes. Without a model, nothing but time. */
export function estimateOf(
  job: {
    readonly calls: number;
    readonly characters: number;
    readonly plan: PlanDefinition;
    readonly sections: readonly SectionName[];
  },
  engine: Priced | null,
): JobEstimate {
  const { calls, characters, plan, sections } = job;
  if (engine === null || plan.engine.use === "builtin") {
    return { engine: "builtin", model: null, input_tokens: 0, output_tokens: 0, money: null };
  }
  const planTokens = JSON.stringify([plan.summary, plan.fields, plan.topics, plan.rubric]).length / charactersPerToken;
  const answers: Record<SectionName, number> = {
    ...outputTokens,
    extraction: outputTokens.extraction * plan.fields.filter(({ kind }) => kind === "ai").length,
    evaluation: outputTokens.evaluation * (plan.rubric?.criteria.length ?? 0),
  };
  const input = Math.round(characters / charactersPerToken + calls * (promptTokens + planTokens));
  const output = Math.round(calls * sections.reduce((sum, name) => sum + answers[name], 0));
  const money = engine.moneyFor({ input, output });
  return { engine: "llm", model: engine.model, input_tokens: input, output_tokens: output, money };
}
