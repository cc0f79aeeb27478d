import { z } from "zod";

import { CostLine, EngineRef, Usage } from "./engine.ts";

/** The stages between the end of a call and `call.completed`, in the order in which they are shown. */
export const StepName = z.enum([
  "fetch_recording",
  "measure_audio",
  "import_transcript",
  "transcribe",
  "measure_text",
  "redact",
  "summarise",
  "extract",
  "track",
  "name_topics",
  "rate_sentiment",
  "score",
  "coach",
  "settle",
]);
export type StepName = z.infer<typeof StepName>;

/** `blocked`: waits for another step or for something from outside. The last four are final. */
export const StepState = z.enum(["blocked", "queued", "running", "succeeded", "partial", "skipped", "failed"]);
export type StepState = z.infer<typeof StepState>;

export const SkipReason = z.enum([
  "no_recording",
  "mono_recording",
  "silent_recording",
  "no_provider_transcript",
  "provider_transcript_present",
  "no_transcript",
  "no_timestamps",
  "no_engine",
  "no_fields",
  "no_trackers",
  "no_topics",
  "no_rubric",
  "redaction_off",
  "disabled_by_plan",
  "sampled_out",
  "voicemail",
  "ivr_only",
  "no_human_speech",
  "too_short",
  "too_few_turns",
  "outcome_not_completed",
  "language_unsupported",
  "cost_limit",
  "not_training_call",
  "nothing_failed",
  "dependency_failed",
  "erased",
]);
export type SkipReason = z.infer<typeof SkipReason>;

export const FailureReason = z.enum([
  "recording_unavailable",
  "recording_expired",
  "recording_too_large",
  "recording_too_long",
  "recording_refused",
  "recording_unreadable",
  "engine_unavailable",
  "engine_timeout",
  "engine_rejected",
  "invalid_output",
  "output_truncated",
  "content_filtered",
  "redaction_unlocated",
  "attempts_exhausted",
  "deadline",
  "internal_error",
]);
export type FailureReason = z.infer<typeof FailureReason>;

export const StepReason = z.union([SkipReason, FailureReason]);
export type StepReason = z.infer<typeof StepReason>;

/** How one stage of one call went. Every empty place names its state, a reason, and one sentence a person can act on. */
export const StepResult = z.object({
  step: StepName,
  state: StepState,
  reason: StepReason.nullable(),
  detail: z.string().nullable(),
  attempt: z.number().int(),
  attempts_max: z.number().int(),
  next_attempt_at: z.string().nullable(),
  engine: EngineRef.nullable(),
  usage: Usage.nullable(),
  cost: z.array(CostLine),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
});
export type StepResult = z.infer<typeof StepResult>;
