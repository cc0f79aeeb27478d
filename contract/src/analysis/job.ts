import { z } from "zod";

import { CallDirection, Money } from "../call.ts";
import { fromPublicId, type IdKind } from "../id.ts";
import { ExtractedField, SectionName } from "./run.ts";

/** Limits of jobs. */
export const jobLimits = { previewCallsMax: 20, callIdsMax: 1_000, callsMax: 100_000, sampleMax: 10 } as const;

export const JobState = z.enum(["running", "paused", "canceled", "done"]);
export type JobState = z.infer<typeof JobState>;

const time = z.iso.datetime({ offset: true });

/** Which calls. All conditions hold together; times are about when the call was first heard of. */
export const JobFilter = z.strictObject({
  call_ids: z.array(oneId("call")).min(1).max(jobLimits.callIdsMax).optional(),
  since: time.optional(),
  until: time.optional(),
  providers: z.array(z.string().max(64)).min(1).max(20).optional(),
  direction: CallDirection.optional(),
  campaign_id: oneId("campaign").optional(),
  purpose: z.enum(["production", "training"]).optional(),
});
export type JobFilter = z.output<typeof JobFilter>;

const sections = z
  .array(SectionName)
  .min(1)
  .default([...SectionName.options])
  .meta({ description: "Which parts of the analysis; the others are skipped. Nothing is transcribed again." });

/** Versions of a plan are counted from 1, and kept in 32 bits. */
export const planVersionMax = 2_147_483_647;
export const PlanVersion = z.number().int().min(1).max(planVersionMax);

export const CreateJob = z.strictObject({
  plan_id: oneId("analysis_plan"),
  version: PlanVersion.optional().meta({ description: "Without it the newest published version." }),
  filter: JobFilter.prefault({}),
  sections,
  rate_per_minute: z.number().int().min(1).max(6000).default(120),
  concurrency: z.number().int().min(1).max(16).default(2),
  force: z
    .boolean()
    .default(false)
    .meta({ description: "Also calls that this version has analysed already, over the same transcript." }),
  dry_run: z.boolean().default(false).meta({ description: "Only count, and estimate what it takes." }),
});

export const CreatePreview = z.strictObject({
  call_ids: z.array(oneId("call")).min(1).max(jobLimits.previewCallsMax),
  sections,
});

export const CreateRerun = z.strictObject({
  plan_id: oneId("analysis_plan").optional().meta({ description: "Without it the plan that is for the call now." }),
  version: PlanVersion.optional(),
  sections,
  force: z.boolean().default(true),
});

/** What a job takes. Tokens are estimated from the length of the transcripts; money is null where no price is known. */
export const JobEstimate = z.object({
  engine: z.enum(["builtin", "llm"]),
  model: z.string().nullable(),
  input_tokens: z.number().int(),
  output_tokens: z.number().int(),
  money: Money.nullable(),
});
export type JobEstimate = z.infer<typeof JobEstimate>;

export const JobCounts = z.object({
  total: z.number().int(),
  pending: z.number().int(),
  done: z.number().int(),
  /** Analysed by this version before, over the same transcript. */
  identical: z.number().int(),
  /** Without a transcript, or excluded by the gates of the plan. */
  skipped: z.number().int(),
  failed: z.number().int(),
});
export type JobCounts = z.infer<typeof JobCounts>;

/** The analysis of some calls by one version of a plan. Its progress survives restarts. */
export const AnalysisJob = z.object({
  id: z.string(),
  kind: z.enum(["preview", "rerun", "bulk", "test"]),
  state: JobState,
  plan: z.object({ id: z.string(), version: z.number().int() }),
  sections: z.array(SectionName),
  filter: z.record(z.string(), z.unknown()),
  is_forced: z.boolean(),
  rate_per_minute: z.number().int(),
  concurrency: z.number().int(),
  estimate: JobEstimate,
  counts: JobCounts,
  actor: z.string(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
});
export type AnalysisJob = z.infer<typeof AnalysisJob>;

/** One call of a job. */
export const JobCall = z.object({
  call_id: z.string(),
  state: z.enum(["pending", "done", "identical", "skipped", "failed"]),
  run_id: z.string().nullable(),
  reason: z.string().nullable(),
  detail: z.string().nullable(),
  attempts: z.number().int(),
  next_attempt_at: z.string().nullable(),
  finished_at: z.string().nullable(),
});
export type JobCall = z.infer<typeof JobCall>;

/** What a job found to do; `job` is null after a dry run, and where there is nothing. */
export const CreatedJob = z.object({
  count: z.number().int(),
  identical: z.number().int(),
  without_transcript: z.number().int(),
  estimate: JobEstimate,
  sample: z.array(z.string()),
  job: AnalysisJob.nullable(),
});

/** How two runs of one call differ. */
export const RunComparison = z.object({
  call_id: z.string(),
  before: z.string(),
  after: z.string(),
  summary: z.object({ is_same: z.boolean(), before: z.string().nullable(), after: z.string().nullable() }),
  fields: z.array(
    z.object({
      name: z.string(),
      /** Of a field that is not there, was not mentioned or not looked for, nothing is known: these are the same. */
      is_same: z.boolean(),
      before: z.unknown().nullable(),
      after: z.unknown().nullable(),
      /** Null where the run has no such field. */
      state_before: ExtractedField.shape.state.nullable(),
      state_after: ExtractedField.shape.state.nullable(),
    }),
  ),
  criteria: z.array(
    z.object({
      criterion_id: z.string(),
      is_same: z.boolean(),
      before: z.string().nullable(),
      after: z.string().nullable(),
      points_before: z.number().nullable(),
      points_after: z.number().nullable(),
    }),
  ),
  trackers: z.array(
    z.object({
      id: z.string(),
      is_same: z.boolean(),
      before: z.boolean().nullable(),
      after: z.boolean().nullable(),
    }),
  ),
  topics: z.array(z.object({ name: z.string(), is_same: z.boolean(), before: z.boolean(), after: z.boolean() })),
  sentiment: z.array(
    z.object({
      role: z.string(),
      is_same: z.boolean(),
      before: z.number().nullable(),
      after: z.number().nullable(),
      trend_before: z.number().nullable(),
      trend_after: z.number().nullable(),
    }),
  ),
  score: z.object({ before: z.number().nullable(), after: z.number().nullable() }),
  is_same: z.boolean(),
});
export type RunComparison = z.infer<typeof RunComparison>;

/** How the runs of a job differ from what their calls showed before. */
export const JobComparison = z.object({
  /** Calls that have a run before and one of this job. */
  compared: z.number().int(),
  unchanged: z.number().int(),
  fields: z.array(z.object({ name: z.string(), compared: z.number().int(), agreement: z.number() })),
  criteria: z.array(z.object({ criterion_id: z.string(), compared: z.number().int(), agreement: z.number() })),
  topics: z.array(z.object({ name: z.string(), compared: z.number().int(), agreement: z.number() })),
  score: z.object({ before: z.number().nullable(), after: z.number().nullable() }),
  /** The first changed calls. */
  changed: z.array(RunComparison),
});
export type JobComparison = z.infer<typeof JobComparison>;

/** Runs that were made what their calls show. Reverted, each call shows again what it showed before. */
export const Promotion = z.object({
  id: z.string(),
  job_id: z.string().nullable(),
  calls: z.number().int(),
  actor: z.string(),
  created_at: z.string(),
  reverted_at: z.string().nullable(),
});
export type Promotion = z.infer<typeof Promotion>;

function oneId(kind: IdKind) {
  return z
    .string()
    .refine((id) => fromPublicId(kind, id) !== null, `Not an id of this kind: ${kind}`)
    .transform((id) => fromPublicId(kind, id) ?? "");
}
