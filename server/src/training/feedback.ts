import type { EffectiveEvaluation } from "@aftercall/contract/analysis/review.ts";
import type { Coaching, Evaluation, Evidence } from "@aftercall/contract/analysis/run.ts";
import { TrainingFeedback } from "@aftercall/contract/training.ts";

/** The feedback on a practice call, from its scorecard and what coaching made of it. A quote that is not in the call is left out. */
export function feedbackOf(made: {
  readonly evaluation: Evaluation | null;
  readonly coaching: Coaching | null;
  readonly engine: "builtin" | "llm";
  /** Public id. */
  readonly planId: string;
  readonly plan: { readonly version: number };
}): TrainingFeedback {
  const { evaluation, coaching, engine, planId, plan } = made;
  return {
    score: evaluation?.score ?? null,
    breakdown: (evaluation?.results ?? []).map((result) => ({
      criterion_id: result.criterion_id,
      name: result.name,
      verdict: result.verdict,
      score: result.points,
      max_score: result.max_points,
      rationale: result.rationale ?? result.missing,
      evidence: result.evidence
        .filter(isThere)
        .map(({ turn, quote, start_ms, end_ms }) => ({ turn, quote, start_ms, end_ms })),
    })),
    suggestions: (coaching?.improvements ?? []).map(({ text, why, say_instead, criterion_id, evidence }) => ({
      text,
      why,
      say_instead,
      criterion_id,
      start_ms: evidence.find(isThere)?.start_ms ?? null,
    })),
    highlights: (coaching?.highlights ?? [])
      .filter(({ evidence }) => isThere(evidence))
      .map(({ label, kind, evidence: { quote, start_ms, end_ms } }) => ({ label, kind, quote, start_ms, end_ms })),
    coverage: evaluation?.coverage ?? 0,
    engine,
    rubric: { id: planId, version: plan.version },
  };
}

/** What a session says where its feedback has no score. */
export function whyNoScore(
  { score, breakdown }: TrainingFeedback,
  engine: "builtin" | "llm",
): { readonly reason: string | null; readonly detail: string | null } {
  if (score !== null) return { reason: null, detail: null };
  if (breakdown.length === 0) {
    return {
      reason: "no_rubric",
      detail: "The plan that grades practice calls has no rubric: publish one with criteria.",
    };
  }
  const cause =
    engine === "builtin"
      ? " without a language model: set one up, or publish a plan with criteria of the kinds metric, phrase or extraction"
      : " from this call";
  return {
    reason: "nothing_measurable",
    detail: `None of the criteria (${breakdown.length}) could be decided${cause}.`,
  };
}

function isThere({ verification }: Evidence): boolean {
  return verification !== "failed";
}

/** The same feedback after a person changed a verdict: other points, another score. Quotes and suggestions stay the machine's. */
export function rescored(feedback: Readonly<Record<string, unknown>>, effective: EffectiveEvaluation): object {
  const read = TrainingFeedback.safeParse(feedback);
  if (!read.success) return feedback;
  const results = new Map(effective.results.map((result) => [result.criterion_id, result]));
  return {
    ...read.data,
    score: effective.score,
    coverage: effective.coverage,
    breakdown: read.data.breakdown.map((line) => {
      const result = results.get(line.criterion_id);
      return result ? { ...line, verdict: result.verdict, score: result.points } : line;
    }),
  };
}
