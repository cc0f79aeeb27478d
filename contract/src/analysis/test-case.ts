import { z } from "zod";

import { idOf } from "../list.ts";
import { JobState } from "./job.ts";
import { Verdict } from "./run.ts";

/** What must come out of a call: values of fields (null: nothing is found), verdicts of criteria. What is not named may be anything. */
export const Expected = z.strictObject({
  fields: z
    .array(z.strictObject({ name: z.string().max(64), value: z.unknown() }))
    .max(100)
    .default([]),
  criteria: z
    .array(z.strictObject({ criterion_id: z.string().max(64), verdict: Verdict }))
    .max(100)
    .default([]),
});
export type Expected = z.output<typeof Expected>;

/** A call with what a plan must make of it. Its words are those of the moment it was made; the call may be put right later. */
export const TestCase = z.object({
  id: z.string(),
  plan_id: z.string(),
  call_id: z.string(),
  note: z.string(),
  expected: Expected,
  actor: z.string(),
  created_at: z.string(),
});
export type TestCase = z.infer<typeof TestCase>;

export const CreateTestCase = z.strictObject({
  call_id: idOf("call"),
  note: z.string().max(500).default(""),
  expected: Expected.optional().meta({
    description:
      "Without it: what the call shows now, with what people said in place of the machine, as far as the plan asks for it.",
  }),
});

/** Something that came out otherwise. */
export const Difference = z.object({
  kind: z.enum(["field", "criterion"]),
  name: z.string(),
  expected: z.unknown(),
  actual: z.unknown(),
});
export type Difference = z.infer<typeof Difference>;

/** How a version of a plan did on its test cases. A case that was removed since is left out. */
export const TestResult = z.object({
  job_id: z.string(),
  state: JobState,
  plan: z.object({ id: z.string(), version: z.number().int() }),
  passed: z.number().int(),
  failed: z.number().int(),
  pending: z.number().int(),
  cases: z.array(
    z.object({
      test_case_id: z.string(),
      call_id: z.string(),
      run_id: z.string().nullable(),
      /** `error`: nothing came of it; `detail` says why. */
      result: z.enum(["passed", "failed", "error", "pending"]),
      detail: z.string().nullable(),
      differences: z.array(Difference),
    }),
  ),
});
export type TestResult = z.infer<typeof TestResult>;
