import type { MetricSet } from "@aftercall/contract/analysis/metrics.ts";
import type { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import type { PromptVersion } from "@aftercall/contract/analysis/prompt.ts";

import type { CallFacts, LanguageSection } from "../answer.ts";
import type { Quarters } from "../quarters.ts";
import { answerSchema } from "../schema.ts";
import { lineIdOf } from "../turns.ts";
import { version1 } from "./versions/version-1.ts";
import { version2 } from "./versions/version-2.ts";
import { version3 } from "./versions/version-3.ts";
import type { Wording } from "./versions/wording.ts";

/** Every wording that can be chosen. */
const wordings: Readonly<Record<PromptVersion, Wording>> = { "1": version1, "2": version2, "3": version3 };

/**
 * What a model is told before it sees a call, in the wording that was chosen. All of it is by us and by the tenant's plan;
 * nothing that was said in a call stands here.
 */
export function instructionsFor(
  plan: PlanDefinition,
  sections: readonly LanguageSection[],
  { version, mark, language, source }: Asking & { readonly source: "call" | "notes" },
): string {
  const { opening, evidenceRule, asked } = wordings[version];
  const parts = [
    opening(mark, source),
    `Write in ${language === null ? "the language of the call" : `the language with the BCP 47 code ${language}`}. Quotes stay in the language they were said in.`,
    evidenceRule,
    ...sections.map((name) => asked[name](plan)),
    `Answer with one JSON object and nothing else, by this JSON Schema. Give every property; where there is nothing, null or an empty list.\n${JSON.stringify(answerSchema(plan, sections))}`,
  ];
  return parts.join("\n\n");
}

/** The wording, what frames the data, and the language to write in; null for the call's own. */
export type Asking = { readonly version: PromptVersion; readonly mark: string; readonly language: string | null };

/** What is known of the call without reading it. */
export function factsFor(
  { outcome, direction, durationMs, startedAtMs, timeZone }: CallFacts,
  metrics: readonly MetricSet[],
  quarters: Quarters | null,
): string {
  const numbers = metrics.flatMap(({ values }) =>
    values.flatMap(({ key, role, value, unit, basis }) =>
      value !== null && toldMetrics.has(key)
        ? [{ key, role, value: Math.round(value * 1000) / 1000, unit, basis }]
        : [],
    ),
  );
  const facts = {
    outcome,
    direction,
    duration_seconds: durationMs === null ? null : Math.round(durationMs / 1000),
    started_at: startedAtMs === null ? null : new Date(startedAtMs).toISOString(),
    time_zone: timeZone,
    ...(quarters && {
      first_quarter: quarters.firstEnd === null ? null : `up to ${lineIdOf(quarters.firstEnd)}`,
      last_quarter: quarters.lastStart === null ? null : `from ${lineIdOf(quarters.lastStart)}`,
    }),
    ...(numbers.length > 0 && { numbers }),
  };
  return `Facts about the call, measured and not said by anybody: ${JSON.stringify(facts)}`;
}

/** Numbers that say something about how a call went. */
const toldMetrics: ReadonlySet<string> = new Set([
  "talk_ratio",
  "silence_ratio",
  "interruptions",
  "longest_monologue_ms",
  "response_latency_median_ms",
  "wpm",
]);

export function framed(mark: string, data: string): string {
  return `${mark}\n${data}\n${mark}`;
}
