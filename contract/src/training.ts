import { z } from "zod";

import { Verdict } from "./analysis/run.ts";

/** What a trainee is to do. Completed together with the feedback of its session. */
export const Assignment = z.object({
  id: z.string(),
  title: z.string(),
  status: z.enum(["open", "completed"]),
  completed_at: z.string().nullable(),
  created_at: z.string(),
});
export type Assignment = z.infer<typeof Assignment>;

/** Where in the call something was said. Milliseconds from its start, null where nobody knows. */
const Heard = z.object({ start_ms: z.number().int().nullable(), end_ms: z.number().int().nullable() });

/** The feedback on a practice call: a scorecard, what to do otherwise, and what to listen to again. */
export const TrainingFeedback = z.object({
  /** 0 to 100 over what is known, after what people changed; null when nothing could be decided. */
  score: z.number().nullable(),
  breakdown: z.array(
    z.object({
      criterion_id: z.string(),
      name: z.string(),
      verdict: Verdict,
      score: z.number().nullable(),
      max_score: z.number(),
      rationale: z.string().nullable(),
      evidence: z.array(Heard.extend({ turn: z.number().int().nullable(), quote: z.string() })),
    }),
  ),
  suggestions: z.array(
    z.object({
      text: z.string(),
      why: z.string(),
      say_instead: z.string().nullable(),
      criterion_id: z.string().nullable(),
      start_ms: z.number().int().nullable(),
    }),
  ),
  highlights: z.array(
    Heard.extend({ label: z.string(), kind: z.enum(["positive", "negative", "key_moment"]), quote: z.string() }),
  ),
  /** The share of the rubric, by weight, that is known. */
  coverage: z.number(),
  /** `builtin`: made without a language model, so what needs one is unknown. */
  engine: z.enum(["builtin", "llm"]),
  rubric: z.object({ id: z.string(), version: z.number().int() }),
});
export type TrainingFeedback = z.infer<typeof TrainingFeedback>;

/** One practice call and the feedback on it. */
export const TrainingSession = z.object({
  id: z.string(),
  /** The id to hand to the practice call: what the webhook sends back as `session_id`. */
  session_id: z.string(),
  assignment_id: z.string().nullable(),
  /** `requested`: the call was reported and its feedback is queued. */
  state: z.enum(["open", "requested", "ready", "failed"]),
  communication_id: z.string().nullable(),
  call_id: z.string().nullable(),
  /** {@link TrainingFeedback}; or what was brought along from another system. */
  feedback: z.record(z.string(), z.unknown()).nullable(),
  /** Why there is no feedback, or no score in it: `transcript_not_ready`, `transcript_refused`, `nothing_measurable`, … */
  reason: z.string().nullable(),
  /** The same as a sentence that says what to do. */
  detail: z.string().nullable(),
  attempts: z.number().int(),
  /** When it is tried again by itself. */
  next_attempt_at: z.string().nullable(),
  /** The feedback is being made anew; until then the old one is shown. */
  is_regenerating: z.boolean(),
  /** The analysis run that the feedback comes from: where people review it. */
  run_id: z.string().nullable(),
  requested_at: z.string().nullable(),
  ready_at: z.string().nullable(),
  created_at: z.string(),
});
export type TrainingSession = z.infer<typeof TrainingSession>;
