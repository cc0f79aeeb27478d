import { z } from "zod";

/** What a trainee is to do. Completed together with the feedback of its session. */
export const Assignment = z.object({
  id: z.string(),
  title: z.string(),
  status: z.enum(["open", "completed"]),
  completed_at: z.string().nullable(),
  created_at: z.string(),
});
export type Assignment = z.infer<typeof Assignment>;

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
  feedback: z.record(z.string(), z.unknown()).nullable(),
  requested_at: z.string().nullable(),
  ready_at: z.string().nullable(),
  created_at: z.string(),
});
export type TrainingSession = z.infer<typeof TrainingSession>;
