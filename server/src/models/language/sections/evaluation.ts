import type { Criterion } from "@aftercall/contract/analysis/plan.ts";
import type { CriterionResult, Evidence, Verdict } from "@aftercall/contract/analysis/run.ts";

import { type Citation, isVerified, type Witness } from "../evidence.ts";
import { plainTextOrNull } from "../plain.ts";
import { checksOf } from "../schema.ts";

type Answer = "yes" | "no" | "unclear" | "not_applicable";
type Judged = {
  readonly rationale: string | null;
  readonly missing: string | null;
  readonly confidence: number | null;
};
type GivenChecks = Judged & {
  readonly checks: Readonly<Record<string, { readonly answer: Answer; readonly evidence: readonly Citation[] }>>;
};
type GivenScale = Judged & {
  /** Asked for where the plan says when it does not. */
  readonly applies?: boolean;
  readonly score: number | null;
  readonly evidence: readonly Citation[];
};

/** A verdict with what it rests on; `why` says why it is unknown. */
type Ruling = { readonly verdict: Verdict; readonly why: string | null; readonly evidence: Evidence[] };

/** The criteria as a model judged them. A claim counts for what its quotes are worth: nothing without one from the right speaker. */
export function criteriaOf(value: unknown, criteria: readonly Criterion[], witness: Witness): CriterionResult[] {
  // Right by its schema, or it would not be here.
  const given = value as Readonly<Record<string, GivenChecks | GivenScale>>;
  return criteria.map((criterion) => {
    const one = given[criterion.id];
    if (one && "checks" in one) return checked(criterion, one, witness);
    if (one) return scaled(criterion, one, witness);
    return unknownResult(criterion, "not_answered");
  });
}

export function unknownResult(criterion: Criterion, why: string): CriterionResult {
  return result(criterion, null, { verdict: "unknown", why, evidence: [] }, null, []);
}

/** Points by the share of the applicable checks that are met; one that cannot be decided leaves the criterion undecided. */
function checked(criterion: Criterion, given: GivenChecks, witness: Witness): CriterionResult {
  const checks = checksOf(criterion).map(({ id, polarity }) => {
    const { answer, evidence } = given.checks[id] ?? { answer: "unclear" as const, evidence: [] };
    return { id, ...rule(answer, polarity === "must", criterion, witness.of(evidence), witness) };
  });
  const applicable = checks.filter(({ verdict }) => verdict !== "not_applicable");
  const undecided = applicable.find(({ verdict }) => verdict === "unknown");
  const evidence = checks.flatMap((check) => check.evidence);
  const met = applicable.filter(({ verdict }) => verdict === "met").length;
  const ruling: Ruling =
    applicable.length === 0
      ? { verdict: "not_applicable", why: null, evidence }
      : undecided
        ? { verdict: "unknown", why: undecided.why, evidence }
        : { verdict: verdictOf(met / applicable.length), why: null, evidence };
  const points = (criterion.max_points * met) / Math.max(1, applicable.length);
  return result(criterion, given, ruling, points, checks);
}

/** That something was said needs its words; that it was not said has none. */
function rule(answer: Answer, isWanted: boolean, criterion: Criterion, evidence: Evidence[], witness: Witness): Ruling {
  if (answer === "not_applicable") return { verdict: "not_applicable", why: null, evidence };
  if (answer === "unclear") return { verdict: "unknown", why: "unclear", evidence };
  const weakness = answer === "yes" ? weaknessOf(criterion, evidence, witness) : null;
  if (weakness !== null) return { verdict: "unknown", why: weakness, evidence };
  return { verdict: (answer === "yes") === isWanted ? "met" : "not_met", why: null, evidence };
}

function scaled(criterion: Criterion, given: GivenScale, witness: Witness): CriterionResult {
  const evidence = witness.of(given.evidence);
  if (given.applies === false && criterion.not_applicable_when !== null) {
    return result(criterion, given, { verdict: "not_applicable", why: null, evidence }, null, []);
  }
  if (given.score === null) return result(criterion, given, { verdict: "unknown", why: "unclear", evidence }, null, []);
  const points = Math.min(criterion.max_points, Math.max(0, given.score));
  const weakness = points > 0 ? weaknessOf(criterion, evidence, witness) : null;
  if (weakness !== null) return result(criterion, given, { verdict: "unknown", why: weakness, evidence }, null, []);
  return result(
    criterion,
    given,
    { verdict: verdictOf(points / criterion.max_points), why: null, evidence },
    points,
    [],
  );
}

/** Why a claim does not count; null when it does. */
function weaknessOf(
  { evidence_required: isRequired, applies_to: speaker }: Criterion,
  evidence: Evidence[],
  witness: Witness,
): string | null {
  if (evidence.some((one) => isVerified(one) && witness.isSaidBy(one, speaker))) return null;
  if (evidence.some((one) => !isVerified(one))) return "quote_not_found";
  if (!isRequired) return null;
  return evidence.length > 0 ? "wrong_speaker" : "no_evidence";
}

function verdictOf(share: number): Verdict {
  return share >= 1 ? "met" : share <= 0 ? "not_met" : "partial";
}

function result(
  criterion: Criterion,
  given: Judged | null,
  { verdict, why, evidence }: Ruling,
  points: number | null,
  checks: readonly (Ruling & { readonly id: string })[],
): CriterionResult {
  const isKnown = verdict === "met" || verdict === "partial" || verdict === "not_met";
  return {
    criterion_id: criterion.id,
    name: criterion.name,
    verdict,
    unknown_reason: verdict === "unknown" ? (why ?? "unclear") : null,
    points: isKnown ? points : null,
    max_points: criterion.max_points,
    weight: criterion.weight,
    auto_fail: criterion.auto_fail,
    rationale: plainTextOrNull(given?.rationale ?? null, 1_000),
    missing: plainTextOrNull(given?.missing ?? null, 1_000),
    evidence,
    confidence: given?.confidence == null ? null : Math.min(1, Math.max(0, given.confidence)),
    checks: checks.map((check) => ({ id: check.id, verdict: check.verdict, evidence: check.evidence })),
  };
}
