import { z } from "zod";

/**
 * One judgement of a call, in the shape in which Langfuse and tools like it take scores (https://langfuse.com/docs/scores): a name,
 * a value and who gave it.
 */
export const Score = z.object({
  /** `score` (0 to 100), `coverage` (0 to 1), `result`; `criterion.<id>` is a verdict, `criterion.<id>.points` its points. */
  name: z.string(),
  value: z.union([z.number(), z.string(), z.boolean()]),
  data_type: z.enum(["numeric", "categorical", "boolean", "text"]),
  /** `eval`: the machine, or the provider of the call. `annotation`: a person changed it. */
  source: z.enum(["api", "eval", "annotation"]),
  comment: z.string().nullable(),
  call_id: z.string(),
  /** What it was held against: the plan and its version; null for what the provider of the call judged. */
  config_id: z.string().nullable(),
});
export type Score = z.infer<typeof Score>;
