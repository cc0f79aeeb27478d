import { z } from "zod";

import { EngineRef } from "./engine.ts";
import { MetricSet } from "./metrics.ts";
import {
  Coaching,
  CurrentSections,
  Evaluation,
  ExtractedField,
  ProviderResult,
  RunStatus,
  Section,
  SectionName,
  Sentiment,
  Summary,
  Topic,
  TrackerHit,
} from "./run.ts";
import { StepName, StepReason, StepState } from "./step.ts";

/** A stage that gave nothing, and why: one sentence that a person can act on. */
export const MissingStep = z.object({
  step: StepName,
  state: StepState,
  reason: StepReason.nullable(),
  detail: z.string().nullable(),
});
export type MissingStep = z.infer<typeof MissingStep>;

/** What was made of a call, as messages tell it: the results, who made them, and what is missing for which reason. */
export const CallAnalysis = z.object({
  /** The run these results are from: `GET /v1/calls/{id}/analysis` shows the current one. */
  run_id: z.string(),
  status: RunStatus,
  /** Who made most of it; each section names its own. Null when every section was skipped. */
  engine: EngineRef.nullable(),
  sections: z.partialRecord(SectionName, Section),
  summary: Summary.nullable(),
  fields: z.array(ExtractedField),
  trackers: z.array(TrackerHit),
  /** What the call is about, the most frequent first. */
  topics: z.array(Topic),
  /** How the sides felt, as a language model read it; the same stands in `metrics`. */
  sentiment: Sentiment.nullable(),
  /** The sets that could be measured, the one from audio first. */
  metrics: z.array(MetricSet),
  evaluation: Evaluation.nullable(),
  coaching: Coaching.nullable(),
  /** What the provider made of the call itself, kept apart from ours; null where it sent nothing of the kind. */
  provider: ProviderResult.nullable(),
  /** For each part, which of the two runs counts. */
  current: CurrentSections,
  /** Stages that were skipped or failed. */
  missing: z.array(MissingStep),
});
export type CallAnalysis = z.infer<typeof CallAnalysis>;
