import { z } from "zod";

import {
  AnalysisJob,
  CreatedJob,
  CreateJob,
  CreatePreview,
  CreateRerun,
  JobCall,
  JobComparison,
  JobState,
  PlanVersion,
  planVersionMax,
  Promotion,
  RunComparison,
} from "../analysis/job.ts";
import { AnalysisPlan, PlanDefinition, PlanStatus } from "../analysis/plan.ts";
import { Agreement, CreateOverride, CreateReview, ReviewedRun } from "../analysis/review.ts";
import { AnalysisRun } from "../analysis/run.ts";
import { Score } from "../analysis/score.ts";
import type { Route } from "../api.ts";
import { idOf, listOf, ListQuery } from "../list.ts";

const planId = z.object({ id: idOf("analysis_plan") });
const runId = z.object({ id: idOf("analysis_run") });
const jobId = z.object({ id: idOf("analysis_job") });
const name = z.string().min(1).max(100);
/** Newest first. */
const PlanVersions = z.object({ id: z.string(), versions: z.array(AnalysisPlan) });

const planRoutes = {
  listAnalysisPlans: {
    method: "GET",
    path: "/v1/analysis-plans",
    summary: "List analysis plans in the order in which they are tried, each in its newest version",
    role: "viewer",
    query: ListQuery.extend({ status: PlanStatus.optional() }),
    output: listOf(AnalysisPlan),
  },
  createAnalysisPlan: {
    method: "POST",
    path: "/v1/analysis-plans",
    summary: "Create an analysis plan as a draft",
    role: "admin",
    body: z.strictObject({ name, definition: PlanDefinition.prefault({}) }),
    output: AnalysisPlan,
    status: 201,
  },
  orderAnalysisPlans: {
    method: "PUT",
    path: "/v1/analysis-plans/order",
    summary: "Put analysis plans into the order in which they are tried; those that are not named come last",
    role: "admin",
    body: z.strictObject({ ids: z.array(idOf("analysis_plan")).min(1).max(500) }),
    output: z.object({ ids: z.array(z.string()) }),
  },
  getAnalysisPlan: {
    method: "GET",
    path: "/v1/analysis-plans/:id",
    summary: "Get an analysis plan with all its versions, newest first",
    role: "viewer",
    params: planId,
    output: PlanVersions,
  },
  updateAnalysisPlan: {
    method: "PATCH",
    path: "/v1/analysis-plans/:id",
    summary: "Change the draft of an analysis plan; a definition replaces the whole one",
    role: "admin",
    params: planId,
    body: z.strictObject({ name: name.optional(), definition: PlanDefinition.optional() }),
    output: PlanVersions,
    canConflict: true,
  },
  publishAnalysisPlan: {
    method: "POST",
    path: "/v1/analysis-plans/:id/publish",
    summary: "Publish the draft of an analysis plan: from then on it never changes, and calls are analysed by it",
    role: "admin",
    params: planId,
    output: AnalysisPlan,
  },
  draftAnalysisPlan: {
    method: "POST",
    path: "/v1/analysis-plans/:id/draft",
    summary: "Begin the next version of an analysis plan as a draft",
    role: "admin",
    params: planId,
    body: z.strictObject({
      from_version: PlanVersion.optional().meta({ description: "Without it the newest version." }),
    }),
    output: AnalysisPlan,
    status: 201,
  },
  archiveAnalysisPlan: {
    method: "POST",
    path: "/v1/analysis-plans/:id/archive",
    summary: "Take an analysis plan out of use; what was analysed by it stays",
    role: "admin",
    params: planId,
    output: PlanVersions,
  },
  previewAnalysisPlan: {
    method: "POST",
    path: "/v1/analysis-plans/:id/preview",
    summary: "Try the draft of an analysis plan on up to 20 calls; what comes out never shows at the calls",
    role: "admin",
    params: planId,
    body: CreatePreview,
    output: AnalysisJob,
    status: 202,
  },
  getAgreement: {
    method: "GET",
    path: "/v1/analysis-plans/:id/agreement",
    summary: "How far people agree with the scorecards of a plan, criterion by criterion",
    role: "viewer",
    params: planId,
    query: z.strictObject({ version: z.coerce.number().int().min(1).max(planVersionMax).optional() }),
    output: z.object({ data: z.array(Agreement) }),
  },
} as const satisfies Record<string, Route>;

const runRoutes = {
  listAnalysisRuns: {
    method: "GET",
    path: "/v1/calls/:id/analysis-runs",
    summary: "List what was made of a call, newest first",
    role: "viewer",
    params: z.object({ id: idOf("call") }),
    query: ListQuery,
    output: listOf(AnalysisRun),
  },
  rerunAnalysis: {
    method: "POST",
    path: "/v1/calls/:id/analysis-runs",
    summary: "Analyse a call once more; what it shows changes when the new run is promoted",
    role: "member",
    params: z.object({ id: idOf("call") }),
    body: CreateRerun,
    output: AnalysisJob,
    status: 202,
  },
  listCallScores: {
    method: "GET",
    path: "/v1/calls/:id/scores",
    summary: "List the scores of a call, with what people changed, in the shape that Langfuse takes",
    role: "viewer",
    params: z.object({ id: idOf("call") }),
    output: z.object({ data: z.array(Score) }),
  },
  getAnalysisRun: {
    method: "GET",
    path: "/v1/analysis-runs/:id",
    summary: "Get an analysis run with what people changed",
    role: "viewer",
    params: runId,
    output: ReviewedRun,
  },
  compareAnalysisRuns: {
    method: "GET",
    path: "/v1/analysis-runs/:id/comparison",
    summary: "Compare an analysis run with another one of the same call; without its id, with what the call shows",
    role: "viewer",
    params: runId,
    query: z.strictObject({ with: idOf("analysis_run").optional() }),
    output: RunComparison,
    canConflict: true,
  },
  promoteAnalysisRun: {
    method: "POST",
    path: "/v1/analysis-runs/:id/promote",
    summary: "Make an analysis run what its call shows",
    role: "member",
    params: runId,
    output: Promotion,
    status: 201,
  },
  overrideCriterion: {
    method: "POST",
    path: "/v1/analysis-runs/:id/overrides",
    summary: "Change the verdict of one criterion, with a reason; the machine's stays beside it",
    role: "member",
    params: runId,
    body: CreateOverride,
    output: ReviewedRun,
    status: 201,
  },
  reviewAnalysisRun: {
    method: "POST",
    path: "/v1/analysis-runs/:id/reviews",
    summary: "Accept, dispute or decide a scorecard as a whole",
    role: "member",
    params: runId,
    body: CreateReview,
    output: ReviewedRun,
    status: 201,
  },
} as const satisfies Record<string, Route>;

const jobRoutes = {
  createAnalysisJob: {
    method: "POST",
    path: "/v1/analysis-jobs",
    summary: "Analyse many calls once more by one version of a plan, or only count them",
    role: "admin",
    body: CreateJob,
    output: CreatedJob,
    status: 202,
  },
  listAnalysisJobs: {
    method: "GET",
    path: "/v1/analysis-jobs",
    summary: "List analysis jobs, newest first",
    role: "viewer",
    query: ListQuery.extend({ state: JobState.optional() }),
    output: listOf(AnalysisJob),
  },
  getAnalysisJob: {
    method: "GET",
    path: "/v1/analysis-jobs/:id",
    summary: "Get an analysis job with its progress",
    role: "viewer",
    params: jobId,
    output: AnalysisJob,
  },
  listAnalysisJobCalls: {
    method: "GET",
    path: "/v1/analysis-jobs/:id/calls",
    summary: "List the calls of an analysis job and what became of each",
    role: "viewer",
    params: jobId,
    query: ListQuery.extend({ state: JobCall.shape.state.optional() }),
    output: listOf(JobCall),
  },
  compareAnalysisJob: {
    method: "GET",
    path: "/v1/analysis-jobs/:id/comparison",
    summary: "Compare what a job made with what its calls show",
    role: "viewer",
    params: jobId,
    output: JobComparison,
  },
  pauseAnalysisJob: {
    method: "POST",
    path: "/v1/analysis-jobs/:id/pause",
    summary: "Hold an analysis job",
    role: "admin",
    params: jobId,
    output: AnalysisJob,
  },
  resumeAnalysisJob: {
    method: "POST",
    path: "/v1/analysis-jobs/:id/resume",
    summary: "Go on with a paused analysis job",
    role: "admin",
    params: jobId,
    output: AnalysisJob,
  },
  cancelAnalysisJob: {
    method: "POST",
    path: "/v1/analysis-jobs/:id/cancel",
    summary: "End an analysis job; what it made stays",
    role: "admin",
    params: jobId,
    output: AnalysisJob,
  },
  promoteAnalysisJob: {
    method: "POST",
    path: "/v1/analysis-jobs/:id/promote",
    summary: "Make the runs of a job what their calls show",
    role: "admin",
    params: jobId,
    output: Promotion,
    status: 201,
  },
  listPromotions: {
    method: "GET",
    path: "/v1/analysis-promotions",
    summary: "List promotions, newest first",
    role: "viewer",
    query: ListQuery,
    output: listOf(Promotion),
  },
  revertPromotion: {
    method: "POST",
    path: "/v1/analysis-promotions/:id/revert",
    summary: "Undo a promotion: its calls show what they showed before",
    role: "admin",
    params: z.object({ id: idOf("analysis_promotion") }),
    output: Promotion,
  },
} as const satisfies Record<string, Route>;

/** Analysis plans, what was made of calls by them, and people's word on it. */
export const analysisRoutes = { ...planRoutes, ...runRoutes, ...jobRoutes } as const satisfies Record<string, Route>;
