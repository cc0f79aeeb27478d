import type { Override } from "./review.ts";

const timestamp = "2026-11-21T09:41:12.000Z";
const override: Override = {
  id: "0199d4c7-1d80-7c52-8f8e-2d1c51b8a6f1",
  criterion_id: "greeting",
  verdict: "met",
  points: null,
  reason: "incorrect_score",
  comment: "He says good morning in the second turn.",
  actor: "user:usr_06f4yvh7k8e5m2q9s3t6w0x1za",
  created_at: timestamp,
};
const data = {
  run: { id: "run_06f4yvh7k8e5m2q9s3t6w0x1za", call_id: "call_06f4yvh7k8e5m2q9s3t6w0x1za" },
  override,
  machine_verdict: "not_met",
  effective: { score: 86.67, result: "pass", coverage: 0.9 },
} as const;

const type = "evaluation.overridden";

export const evaluationOverridden = {
  en: { type, timestamp, data },
  he: { type, timestamp, data: { ...data, override: { ...override, comment: "הוא אומר בוקר טוב בתור השני." } } },
};
