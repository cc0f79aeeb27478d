import type { MetricValue } from "@aftercall/contract/analysis/metrics.ts";
import type { MetricTest } from "@aftercall/contract/analysis/plan.ts";

/** A number for people: `Talk ratio (agent): 88 %`. */
export function measured({ key, role, value, unit }: MetricValue): string {
  const name = key.replace(/_ms$/, "").replaceAll("_", " ");
  const whose = role ? ` (${role})` : "";
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}${whose}: ${inUnit(value ?? 0, unit)}`;
}

/** What a test asks for: `at most 60 %`. */
export function wanted({ op, value }: MetricTest, unit: MetricValue["unit"]): string {
  if (typeof value !== "number") return `${inUnit(value[0], unit)} to ${inUnit(value[1], unit)}`;
  const phrases = { "<": "less than", "<=": "at most", ">": "more than", ">=": "at least", between: "exactly" };
  return `${phrases[op]} ${inUnit(value, unit)}`;
}

function inUnit(value: number, unit: MetricValue["unit"]): string {
  switch (unit) {
    case "ms":
      return `${rounded(value / 1000)} s`;
    case "ratio":
      return `${rounded(value * 100)} %`;
    case "count":
      return String(value);
    case "per_min":
      return `${value} a minute`;
    case "per_hour":
      return `${value} an hour`;
    case "per_100_words":
      return `${value} in 100 words`;
    case "wpm":
      return `${value} words a minute`;
  }
}

function rounded(value: number): number {
  return Number(value.toFixed(1));
}
