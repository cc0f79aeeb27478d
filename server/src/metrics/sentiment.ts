import type { MetricSet, MetricValue } from "@aftercall/contract/analysis/metrics.ts";
import type { MetricTest, PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import type { Sentiment } from "@aftercall/contract/analysis/run.ts";

/** The numbers of a call with what an engine said of how its sides felt; without an engine these stay null (`needs_llm`). */
export function withSentiment(sets: readonly MetricSet[], sentiment: Sentiment | null): MetricSet[] {
  return sets.map((set) => {
    if (sentiment === null || set.basis !== "text") return set;
    return { ...set, values: set.values.map((value) => filled(value, sentiment)) };
  });
}

/** Whether a plan holds against a number how somebody felt. */
export function testsSentiment({ trackers, rubric }: Pick<PlanDefinition, "trackers" | "rubric">): boolean {
  const criteria = rubric?.criteria.flatMap(({ metric, phrase }) => [metric, phrase?.metric]) ?? [];
  return [...trackers.map(({ metric }) => metric), ...criteria].some((test) => test != null && isSentiment(test));
}

function isSentiment({ key }: MetricTest): boolean {
  return key === "sentiment" || key === "sentiment_trend";
}

function filled(metric: MetricValue, { roles }: Sentiment): MetricValue {
  const felt = roles.find(({ role }) => role === metric.role);
  if (!felt) return metric;
  switch (metric.key) {
    case "sentiment":
      return said(metric, felt.value, felt.null_reason);
    case "sentiment_trend":
      return said(metric, felt.trend, felt.trend_null_reason);
    default:
      return metric;
  }
}

function said(metric: MetricValue, value: number | null, why: string | null): MetricValue {
  return { ...metric, value, basis: value === null ? null : "engine", null_reason: value === null ? why : null };
}
