import { z } from "zod";

import { CallCosts } from "../analysis/engine.ts";
import { MetricSet } from "../analysis/metrics.ts";
import { ShownAnalysis } from "../analysis/run.ts";
import { StepName, StepReason, StepResult } from "../analysis/step.ts";
import type { Route } from "../api.ts";
import { idOf, listOf, ListQuery } from "../list.ts";

/** How far a call is on its way from its end to `call.completed`. */
export const CallSteps = z.object({
  call_id: z.string(),
  /** `waiting`: the call is not over, or nothing is made of it. */
  state: z.enum(["waiting", "running", "settled"]),
  /** The plan that it is analysed by; null before it began. */
  plan: z.object({ id: z.string(), version: z.number().int() }).nullable(),
  /** When `call.completed` goes out at the latest. */
  settle_by: z.string().nullable(),
  settled_at: z.string().nullable(),
  /** All stages in their order, those that have not begun as well. */
  steps: z.array(StepResult),
});
export type CallSteps = z.infer<typeof CallSteps>;

/** One stage of one call that needs somebody, or that is being worked at. */
export const ListedStep = StepResult.extend({ call_id: z.string() });
export type ListedStep = z.infer<typeof ListedStep>;

const filter = {
  step: StepName.optional(),
  reason: StepReason.optional().meta({ description: "Why it failed or was skipped." }),
  since: z.iso.datetime({ offset: true }).optional().meta({ description: "Finished at this time or later." }),
  until: z.iso.datetime({ offset: true }).optional().meta({ description: "Finished before this time." }),
};

const params = z.object({ id: idOf("call") });

export const pipelineRoutes = {
  getCallSteps: {
    method: "GET",
    path: "/v1/calls/:id/steps",
    summary: "See what happens to a call after its end",
    role: "viewer",
    params,
    output: CallSteps,
  },
  retryCallStep: {
    method: "POST",
    path: "/v1/calls/:id/steps/:step/retry",
    summary: "Do a stage of a call again",
    role: "member",
    params: z.object({ id: idOf("call"), step: StepName }),
    output: CallSteps,
    status: 202,
  },
  getCallAnalysis: {
    method: "GET",
    path: "/v1/calls/:id/analysis",
    summary: "Get what was made of a call",
    role: "viewer",
    params,
    output: ShownAnalysis,
  },
  getCallMetrics: {
    method: "GET",
    path: "/v1/calls/:id/metrics",
    summary: "Get the numbers of a call",
    role: "viewer",
    params,
    output: z.object({ data: z.array(MetricSet) }),
  },
  getCallCosts: {
    method: "GET",
    path: "/v1/calls/:id/costs",
    summary: "Say what a call cost: what its provider says, and what our engines came to",
    role: "member",
    params,
    output: CallCosts,
  },
  listSteps: {
    method: "GET",
    path: "/v1/steps",
    summary: "List stages that failed or wait, newest call first",
    role: "viewer",
    query: ListQuery.extend({ state: z.enum(["failed", "queued", "running", "blocked"]).default("failed"), ...filter }),
    output: listOf(ListedStep),
  },
  retrySteps: {
    method: "POST",
    path: "/v1/steps/retry",
    summary: "Do stages that failed again, of many calls",
    role: "member",
    body: z.strictObject({
      ...filter,
      state: z.enum(["failed", "skipped"]).default("failed"),
      limit: z.number().int().min(1).max(10_000).default(1_000).meta({ description: "Calls at most, oldest first." }),
      dry_run: z.boolean().default(false).meta({ description: "Only count." }),
    }),
    output: z.object({ calls: z.number().int(), steps: z.number().int(), is_more: z.boolean() }),
    status: 202,
  },
} as const satisfies Record<string, Route>;
