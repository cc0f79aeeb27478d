import type { Criterion, Rubric } from "@aftercall/contract/analysis/plan.ts";
import type { CriterionResult, Evaluation, Evidence, Verdict } from "@aftercall/contract/analysis/run.ts";

/**
 * The scorecard of a call from what was found for each criterion. Weights and points are the rubric's, whatever a result
 * says, and so are names where a model judged; our own code may name a criterion in the language of the call; results for criteria that it does not have count for nothing, a criterion without a result is unknown. A verdict
 * that needs quotes and has none that was found in the call becomes unknown, so an invented quote never does better than
 * no answer. `flags` are signs that the call tried to influence its grading; with any of them a person should look.
 */
export function evaluate(rubric: Rubric, results: readonly CriterionResult[], flags: readonly string[]): Evaluation {
  const given = new Map<string, CriterionResult>();
  for (const result of results) if (!given.has(result.criterion_id)) given.set(result.criterion_id, result);
  const settled = rubric.criteria.map((criterion) => settle(criterion, given.get(criterion.id)));
  const invented = settled.some(({ evidence, checks }) =>
    [evidence, ...checks.map((one) => one.evidence)].some(anyFailed),
  );
  return {
    ...tally(rubric, settled),
    results: settled,
    needs_review: flags.length > 0,
    flags: [...new Set([...flags, ...(invented ? ["quote_not_found"] : [])])],
  };
}

/**
 * Score, coverage and result of settled results, as they are after a person changed some of them too.
 * score = 100 · Σ weight·points / Σ weight·max_points over what is known; coverage = known weight / applicable weight.
 * Below the rubric's coverage the result is unknown; a failed auto-fail criterion fails the call and leaves the score;
 * one that is unknown lets no call pass.
 */
export function tally(
  rubric: Pick<Rubric, "pass_threshold" | "min_coverage">,
  results: readonly Pick<CriterionResult, "verdict" | "points" | "max_points" | "weight" | "auto_fail">[],
): Pick<Evaluation, "score" | "coverage" | "result"> {
  const applicable = results.filter(({ verdict }) => verdict !== "not_applicable");
  const known = applicable.filter(({ verdict }) => isKnown(verdict));
  const possible = sum(known, ({ weight, max_points }) => weight * max_points);
  const score = possible > 0 ? (100 * sum(known, ({ weight, points }) => weight * (points ?? 0))) / possible : null;
  const whole = sum(applicable, ({ weight }) => weight);
  const coverage = whole > 0 ? sum(known, ({ weight }) => weight) / whole : 0;
  return { score: rounded(score, 2), coverage: rounded(coverage, 4), result: resultOf() };

  function resultOf(): Evaluation["result"] {
    const gates = applicable.filter(({ auto_fail }) => auto_fail);
    if (gates.some(({ verdict }) => verdict === "not_met")) return "fail";
    if (score === null || coverage < rubric.min_coverage) return "unknown";
    if (score < rubric.pass_threshold) return "fail";
    return gates.some(({ verdict }) => !isKnown(verdict)) ? "unknown" : "pass";
  }
}

function settle(criterion: Criterion, result: CriterionResult | undefined): CriterionResult {
  const { id, weight, max_points, auto_fail, kind } = criterion;
  const name = (kind !== "check" && kind !== "scale" && result?.name) || criterion.name;
  const own = { criterion_id: id, name, weight, max_points, auto_fail };
  if (!result) return { ...unanswered, ...own };
  if (!isKnown(result.verdict)) return { ...result, ...own, points: null };
  const hasChecks = criterion.kind === "check" && criterion.checks.length > 0;
  return { ...result, ...own, ...(hasChecks ? fromChecks(criterion, result) : fromVerdict(criterion, result)) };
}

const unanswered = {
  verdict: "unknown",
  unknown_reason: "not_answered",
  points: null,
  rationale: null,
  missing: null,
  evidence: [],
  confidence: null,
  checks: [],
} satisfies Partial<CriterionResult>;

type Settled = Pick<CriterionResult, "verdict" | "unknown_reason" | "points"> &
  Partial<Pick<CriterionResult, "checks">>;
const unknown = (reason: string) => ({ verdict: "unknown", unknown_reason: reason, points: null }) as const;

function fromVerdict({ kind, max_points, evidence_required }: Criterion, result: CriterionResult): Settled {
  const { verdict, evidence, points } = result;
  // What code computed rests on numbers and rules; only what a model says must be shown in the call.
  if (evidence_required && (kind === "check" || kind === "scale")) {
    const doubt = doubtAbout(evidence, verdict !== "not_met");
    if (doubt) return unknown(doubt);
  }
  if (verdict === "not_met") return { verdict, unknown_reason: null, points: 0 };
  const given = points ?? (verdict === "met" ? max_points : null);
  if (given === null || !Number.isFinite(given)) return unknown("no_points");
  return { verdict, unknown_reason: null, points: Math.min(max_points, Math.max(0, given)) };
}

/** Of a criterion with checks: the share of the known checks that is met; the verdict follows from them. */
function fromChecks({ checks: asked, max_points, evidence_required }: Criterion, result: CriterionResult): Settled {
  const checks = asked.map(({ id, polarity }) => {
    const check = result.checks.find((one) => one.id === id) ?? { id, verdict: "unknown" as const, evidence: [] };
    if (!isKnown(check.verdict) || !evidence_required) return { check, doubt: null };
    const quotes = check.evidence.length > 0 ? check.evidence : result.evidence;
    const wasSaid = (polarity === "must") === (check.verdict !== "not_met");
    return { check, doubt: doubtAbout(wasSaid ? quotes : check.evidence, wasSaid) };
  });
  const settled = checks.map(({ check, doubt }) => (doubt ? { ...check, verdict: "unknown" as const } : check));
  const known = settled.filter(({ verdict }) => isKnown(verdict));
  const met = known.filter(({ verdict }) => verdict === "met").length;
  if (known.length === 0) {
    const doubt = checks.map((one) => one.doubt).find((one) => one !== null);
    return { ...unknown(doubt ?? "not_answered"), checks: settled };
  }
  const verdict = met === known.length ? "met" : met === 0 ? "not_met" : "partial";
  return { verdict, unknown_reason: null, points: rounded((max_points * met) / known.length, 4), checks: settled };
}

/** Why a claim is not believed: none of its quotes is in the call, or it has none. What was not said leaves no words behind. */
function doubtAbout(quotes: readonly Evidence[], wasSaid: boolean): string | null {
  if (quotes.some(({ verification }) => verification !== "failed")) return null;
  if (quotes.length > 0) return "quote_not_found";
  return wasSaid ? "no_evidence" : null;
}

function isKnown(verdict: Verdict): boolean {
  return verdict === "met" || verdict === "partial" || verdict === "not_met";
}

function anyFailed(evidence: readonly Evidence[]): boolean {
  return evidence.some(({ verification }) => verification === "failed");
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function rounded(value: number, digits: number): number;
function rounded(value: number | null, digits: number): number | null;
function rounded(value: number | null, digits: number): number | null {
  return value === null ? null : Number(value.toFixed(digits));
}
