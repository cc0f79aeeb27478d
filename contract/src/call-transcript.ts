import { z } from "zod";

import { EngineRef } from "./analysis/engine.ts";
import { Transcript } from "./call.ts";

/** A part of what an engine answered that is not believed. */
const DroppedSegment = z.object({
  start_ms: z.number().int(),
  end_ms: z.number().int(),
  channel: z.number().int().nullable(),
  text: z.string(),
  why: z
    .enum(["no_speech", "compression", "repeated", "no_energy"])
    .meta({ description: "`no_energy`: nothing sounds there; the others are doubts of the engine itself." }),
});

/** How far a transcript of a speech engine can be trusted, and what was taken out of it. */
export const TranscriptQuality = z.object({
  avg_confidence: z.number().nullable(),
  avg_logprob: z.number().nullable(),
  no_speech_prob_max: z.number().nullable(),
  role_source: z
    .enum(["channel", "heuristic", "none"])
    .meta({ description: "How it is known who is who. `heuristic`: guessed, with `role_confidence`." }),
  role_confidence: z.number().nullable(),
  flags: z.array(z.string()),
  dropped_segments: z
    .array(DroppedSegment)
    .nullable()
    .meta({ description: "Null where the transcript is masked: they are not." }),
});
export type TranscriptQuality = z.infer<typeof TranscriptQuality>;

/** What was said, and whose words these are. */
export const CallTranscript = Transcript.extend({
  origin: z.enum(["provider", "stt", "human_edit", "import", "redaction"]).meta({
    description:
      "`provider`: as it sent them; `stt`: a speech engine heard the recording; `human_edit`: put right by a person; `redaction`: one of these without personal data.",
  }),
  engine: EngineRef.pick({ kind: true, provider: true, model: true }).nullable().meta({
    description: "Who made the words; of masked ones, who made those they stand for. Null where a person did.",
  }),
  quality: TranscriptQuality.nullable().meta({ description: "Null where no speech engine made the words." }),
});
export type CallTranscript = z.infer<typeof CallTranscript>;
