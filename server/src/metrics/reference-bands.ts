import type { TurnRole } from "@aftercall/contract/call.ts";

/**
 * Bands that people compare numbers with, as data to show beside a number and to start a rubric from. They are no verdicts:
 * most come from what vendors found in sales calls, and each names its source.
 */
export const referenceBands: readonly ReferenceBand[] = [
  {
    key: "talk_ratio",
    role: "agent",
    purpose: "sales",
    from: 0.4,
    to: 0.5,
    source: "Gong Labs: 43 to 57 in sales calls",
  },
  {
    key: "questions",
    role: "agent",
    purpose: "sales",
    from: 11,
    to: 14,
    source: "Gong Labs: questions in discovery calls",
  },
  {
    key: "wpm",
    role: "agent",
    purpose: "any",
    from: 140,
    to: 160,
    source: "Street & Brady 1982: moderate pace, English",
  },
  { key: "filler_per_min", role: "agent", purpose: "any", from: 0, to: 5, source: "Laske 2024: no measurable penalty" },
  {
    key: "longest_monologue_ms",
    role: "agent",
    purpose: "any",
    from: 0,
    to: 150_000,
    source: "2.5 minutes, a common rule",
  },
  {
    key: "response_latency_median_ms",
    role: "agent",
    purpose: "voice_ai",
    from: 0,
    to: 800,
    source: "Aim of voice agents; people take about 200 ms (Levinson & Torreira 2015)",
  },
];

/** `from` and `to` belong to the band, in the unit of the metric. */
export type ReferenceBand = {
  readonly key: string;
  readonly role: TurnRole | null;
  readonly purpose: "any" | "sales" | "support" | "voice_ai";
  readonly from: number;
  readonly to: number;
  readonly source: string;
};
