import { z } from "zod";

import { AnalysisRun, CriterionResult, Evaluation, Verdict } from "./run.ts";

/** A person's verdict in place of the machine's, which is kept. */
export const Override = z.object({
  id: z.string(),
  criterion_id: z.string(),
  verdict: Verdict,
  points: z.number().nullable(),
  reason: z.enum(["incorrect_score", "incorrect_evidence", "missing_evidence", "other"]),
  comment: z.string(),
  actor: z.string(),
  created_at: z.string(),
});
export type Override = z.infer<typeof Override>;

/** The scorecard with what people changed. */
export const EffectiveEvaluation = Evaluation.pick({ result: true, score: true, coverage: true }).extend({
  results: z.array(CriterionResult),
});
export type EffectiveEvaluation = z.infer<typeof EffectiveEvaluation>;

/**
 * Where people stand with a scorecard: being looked at, handed to who was graded, accepted or disputed by them, decided, or of
 * no account.
 */
export const ReviewState = z.enum(["draft", "submitted", "acknowledged", "disputed", "resolved", "voided"]);
export type ReviewState = z.infer<typeof ReviewState>;

export const Review = z.object({
  state: ReviewState,
  comment: z.string(),
  actor: z.string(),
  created_at: z.string(),
});
export type Review = z.infer<typeof Review>;

/** A run with what people said about it. */
export const ReviewedRun = AnalysisRun.extend({
  overrides: z.array(Override),
  /** Null where the run has no scorecard. Without overrides the same as the machine's. */
  effective: EffectiveEvaluation.nullable(),
  /** Oldest first; the last one holds. */
  reviews: z.array(Review),
});
export type ReviewedRun = z.infer<typeof ReviewedRun>;

export const CreateOverride = z.strictObject({
  criterion_id: z.string().max(64),
  verdict: Verdict,
  points: z.number().min(0).max(1000).optional().meta({ description: "Without it: all for met, none for not_met." }),
  reason: Override.shape.reason,
  comment: z.string().max(2000).default(""),
});

export const CreateReview = z.strictObject({ state: ReviewState, comment: z.string().max(2000).default("") });

/** How far people agree with the machine about one criterion. */
export const Agreement = z.object({
  criterion_id: z.string(),
  name: z.string(),
  /** Reviewed scorecards in which both have a verdict. */
  count: z.number().int(),
  /** The share of the same verdicts; null until there are 30. */
  agreement: z.number().nullable(),
  /** Cohen's kappa: agreement beyond chance, 1 for all, 0 for none; null until there are 30, and where chance explains all. */
  kappa: z.number().nullable(),
  hint: z.string().nullable(),
});
export type Agreement = z.infer<typeof Agreement>;
