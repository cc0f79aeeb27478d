import type { CriterionResult } from "@aftercall/contract/analysis/run.ts";

import { sideOf } from "#/text/sides.ts";

import type { Reading } from "./read.ts";

/** Points out of a hundred over what is known, weighed; null when nothing is. */
export function roughScore(results: readonly CriterionResult[]): number | null {
  const known = results.filter((one) => one.points !== null);
  const max = known.reduce((sum, one) => sum + one.weight * one.max_points, 0);
  const points = known.reduce((sum, one) => sum + one.weight * (one.points ?? 0), 0);
  return max === 0 ? null : (100 * points) / max;
}

/**
 * What the facts of the call allow a model's verdicts to be worth, out of a hundred. Where hardly anything was said, or one side
 * was silent, there is nothing that a good score could rest on, whatever a model says.
 */
export function scoreCeiling({ turns, facts, metrics }: Pick<Reading, "turns" | "facts" | "metrics">): number {
  const { durationMs, outcome } = facts;
  const isSpoken = outcome === null || outcome === "completed" || outcome === "transferred";
  const ofAgent = turns.filter(({ role }) => sideOf(role) === "agent");
  // Where nobody is named, any turn may be the agent's.
  const isNamed = turns.some(({ role }) => sideOf(role) !== null);
  if (!isSpoken || (isNamed && ofAgent.length === 0)) return 0;
  const words = (isNamed ? ofAgent : turns).reduce(
    (sum, { text }) => sum + text.split(/\s+/u).filter(Boolean).length,
    0,
  );
  const isOneSided = isNamed && !turns.some(({ role }) => sideOf(role) === "customer");
  const isThin = words < agentWordsMin || (isNamed && ofAgent.length < 2) || isOneSided || isHardlyHeard(metrics);
  return isThin || (durationMs !== null && durationMs < durationMinMs) ? thinCeiling : 100;
}

/** By the sound, where it was measured. */
function isHardlyHeard(metrics: Reading["metrics"]): boolean {
  return metrics.some(
    ({ basis, values }) =>
      basis === "audio" &&
      values.some(
        ({ key, role, value }) => key === "talk_ratio" && role === "agent" && value !== null && value < talkMin,
      ),
  );
}

/** Verdicts that add up to more than the facts allow are not believed: a person decides. */
export function bounded(results: readonly CriterionResult[], ceiling: number): CriterionResult[] | null {
  const score = roughScore(results);
  if (score === null || score <= ceiling) return null;
  return results.map((one) =>
    one.verdict === "met" || one.verdict === "partial"
      ? { ...one, verdict: "unknown", unknown_reason: "out_of_bounds", points: null }
      : one,
  );
}

const thinCeiling = 60;
const agentWordsMin = 12;
const durationMinMs = 10_000;
const talkMin = 0.03;
