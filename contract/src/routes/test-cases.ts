import { z } from "zod";

import { AnalysisJob } from "../analysis/job.ts";
import { CreateTestCase, TestCase, TestResult } from "../analysis/test-case.ts";
import type { Route } from "../api.ts";
import { idOf, listOf, ListQuery } from "../list.ts";

const planId = z.object({ id: idOf("analysis_plan") });

export const testCaseRoutes = {
  listTestCases: {
    method: "GET",
    path: "/v1/analysis-plans/:id/test-cases",
    summary: "List the calls that an analysis plan is tested with, newest first",
    role: "viewer",
    params: planId,
    query: ListQuery,
    output: listOf(TestCase),
  },
  createTestCase: {
    method: "POST",
    path: "/v1/analysis-plans/:id/test-cases",
    summary: "Make a call a test case of an analysis plan, with what must come out of it",
    role: "member",
    params: planId,
    body: CreateTestCase,
    output: TestCase,
    status: 201,
  },
  deleteTestCase: {
    method: "DELETE",
    path: "/v1/test-cases/:id",
    summary: "Remove a test case; the call stays",
    role: "member",
    params: z.object({ id: idOf("test_case") }),
    output: z.null(),
    status: 204,
  },
  testAnalysisPlan: {
    method: "POST",
    path: "/v1/analysis-plans/:id/test",
    summary: "Run the newest version of an analysis plan, a draft as well, over its test cases",
    role: "member",
    params: planId,
    output: AnalysisJob,
    status: 202,
  },
  getTestResult: {
    method: "GET",
    path: "/v1/analysis-jobs/:id/test-result",
    summary: "See what came out otherwise than the test cases of a plan expect",
    role: "viewer",
    params: z.object({ id: idOf("analysis_job") }),
    output: TestResult,
    canConflict: true,
  },
} as const satisfies Record<string, Route>;
