import { z } from "zod";

import { TurnRole } from "../call.ts";

/**
 * What a number was computed from, the best first; `provider`: it was stated by the provider of the call; `engine`: a model said
 * it, with quotes that were found in the call.
 */
export const Basis = z.enum(["audio_vad", "word_timestamps", "turn_timestamps", "text_estimate", "provider", "engine"]);
export type Basis = z.infer<typeof Basis>;

/** One number about a call. Null is "not measurable" and says why; zero is zero. */
export const MetricValue = z.object({
  key: z.string(),
  role: TurnRole.nullable(),
  value: z.number().nullable(),
  unit: z.enum(["ms", "ratio", "count", "per_min", "per_hour", "per_100_words", "wpm", "score"]),
  basis: Basis.nullable(),
  null_reason: z.string().nullable(),
  /** Where it happened, for what happens at places: dead air, interruptions, overlaps, the longest monologue. */
  items: z
    .array(
      z.object({
        start_ms: z.number().int(),
        end_ms: z.number().int(),
        turn: z.number().int().nullable(),
        by: TurnRole.nullable(),
      }),
    )
    .nullable(),
});
export type MetricValue = z.infer<typeof MetricValue>;

/** Numbers about a call from one basis, with what they were computed by. */
export const MetricSet = z.object({
  basis: z.enum(["audio", "text"]),
  definitions_version: z.string(),
  params: z.record(z.string(), z.number()),
  values: z.array(MetricValue),
});
export type MetricSet = z.infer<typeof MetricSet>;
