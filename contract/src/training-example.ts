import type { TrainingFeedback } from "./training.ts";

/** Feedback as it is shown in examples. */
export const trainingFeedback: TrainingFeedback = {
  score: 82,
  breakdown: [
    {
      criterion_id: "greeting",
      name: "Greets and says who is calling",
      verdict: "met",
      score: 1,
      max_score: 1,
      rationale: "Said in the first turns.",
      evidence: [{ turn: 0, quote: "Good morning, this is Dana", start_ms: 0, end_ms: 1_900 }],
    },
    {
      criterion_id: "talk_ratio",
      name: "Leaves room to talk",
      verdict: "not_met",
      score: 0,
      max_score: 1,
      rationale: "Talked 71 % of the time; at most 65 %.",
      evidence: [],
    },
  ],
  suggestions: [
    {
      text: "Ask, and let the other side finish",
      why: "Talked 71 % of the time; at most 65 %.",
      say_instead: null,
      criterion_id: "talk_ratio",
      start_ms: 41_200,
    },
  ],
  highlights: [
    {
      label: "Greets and says who is calling",
      kind: "positive",
      quote: "Good morning, this is Dana",
      start_ms: 0,
      end_ms: 1_900,
    },
  ],
  coverage: 0.9,
  engine: "builtin",
  rubric: { id: "pln_06f4yvh7k8e5m2q9s3t6w0x1za", version: 3 },
};
