import { jobLimits } from "@aftercall/contract/analysis/job.ts";
import type { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { SectionName } from "@aftercall/contract/analysis/run.ts";
import type { Expected, TestCase, TestResult } from "@aftercall/contract/analysis/test-case.ts";
import type { Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { testCaseRoutes } from "@aftercall/contract/routes/test-cases.ts";

import { record } from "#/audit/record.ts";
import { loadCall } from "#/calls/store.ts";
import { loadCurrentTranscript } from "#/calls/transcript-store.ts";
import { readPage } from "#/db/page.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { Conflict, Invalid, NotFound } from "#/kernel/errors.ts";
import { pageOf } from "#/kernel/page.ts";

import { beginJob, type BeginDeps, type By } from "./begin-job.ts";
import { differencesOf, expectedFrom } from "./differences.ts";
import * as jobs from "./job-store.ts";
import { planFaults } from "./plan-faults.ts";
import { type PlanRow, planOf, versionsOf } from "./plan-store.ts";
import { overridesOf } from "./review-store.ts";
import { currentRun, loadRuns } from "./run-store.ts";
import * as store from "./test-case-store.ts";
import type { TestCaseRow } from "./test-case-store.ts";

/** Calls that say what a plan must make of them, and how its versions do. */
export function testCaseHandlers(deps: BeginDeps & { readonly db: Db }): Handlers<typeof testCaseRoutes> {
  const { db, ids } = deps;
  return {
    listTestCases: ({ tenant, params, query }) =>
      db.inTransaction([tenant], async (tx) => {
        await newestVersion(tx, tenant, params.id);
        const before = query.cursor === undefined ? null : fromPublicId("test_case", query.cursor);
        const rows = await readPage(tx, query, before, (probe, page) =>
          store.listTestCases(probe, tenant, params.id, page),
        );
        return pageOf(rows, query.limit, show, ({ id }) => toPublicId("test_case", id));
      }),

    createTestCase: ({ tenant, actor, params, body }) =>
      db.inTransaction([tenant], async (tx) => {
        const plan = await newestVersion(tx, tenant, params.id);
        const call = await loadCall(tx, tenant, body.call_id);
        const words = call && (await loadCurrentTranscript(tx, tenant, call.id));
        if (!call || !words) {
          throw new Invalid("The call cannot be a test case", [
            { pointer: "/call_id", detail: call ? "The call has no transcript" : "No call of yours has this id" },
          ]);
        }
        const row = await store.insertTestCase(tx, tenant, {
          id: ids.next(),
          plan_id: plan.id,
          call_id: call.id,
          transcript_id: words.id,
          note: body.note,
          expected: body.expected ?? known(plan.definition, await shownBy(tx, tenant, call.id)),
          actor: `${actor.kind}:${actor.id}`,
        });
        if (!row) throw new Conflict("The call is a test case of this plan already: remove that one first");
        await audit(tx, { tenant, actor }, "after", row);
        return show(row);
      }),

    deleteTestCase: ({ tenant, actor, params }) =>
      db.inTransaction([tenant], async (tx) => {
        const row = await store.deleteTestCase(tx, tenant, params.id);
        if (!row) throw new NotFound("Test case");
        await audit(tx, { tenant, actor }, "before", row);
        return null;
      }),

    testAnalysisPlan: ({ tenant, actor, params }) =>
      db.inTransaction([tenant], async (tx) => {
        const plan = await newestVersion(tx, tenant, params.id);
        const faults = planFaults(plan.definition);
        if (faults.length > 0) throw new Invalid("The plan cannot be tried as it is; errors says where", faults);
        const job = await beginTest(deps, tx, { tenant, actor }, plan);
        if (!job) throw new Conflict("The plan has no test cases: POST /v1/analysis-plans/{id}/test-cases makes one");
        return job;
      }),

    getTestResult: ({ tenant, params }) =>
      db.inTransaction([tenant], async (tx) => {
        const job = await jobs.findJob(tx, tenant, params.id);
        if (!job) throw new NotFound("Analysis job");
        if (job.kind !== "test") throw new Conflict(`The job is no test of a plan: it is a ${job.kind}`);
        return resultOf(tx, tenant, job);
      }),
  };

  /** That there is one, of which call and about what; the values stay in it. */
  async function audit(tx: Tx, by: By, side: "before" | "after", row: TestCaseRow): Promise<void> {
    const { id, plan_id, call_id, fields, criteria } = { ...show(row), ...row.expected };
    const about = [...fields.map(({ name }) => name), ...criteria.map(({ criterion_id }) => criterion_id)];
    const action = side === "after" ? "test_case.created" : "test_case.deleted";
    const sides = { before: null, after: null, [side]: { id, plan_id, call_id, about } };
    await record(tx, ids, { ...by, action, subject: id, ...sides });
  }
}

/** Runs a version of a plan over its test cases; null where it has none. */
export async function beginTest(deps: BeginDeps, tx: Tx, by: By, plan: PlanRow) {
  const page = { before: null, limit: jobLimits.callIdsMax };
  const cases = await store.listTestCases(tx, by.tenant, plan.id, page);
  if (cases.length === 0) return null;
  const filter = { call_ids: cases.map(({ call_id }) => call_id) };
  const order = { kind: "test", sections: SectionName.options, isForced: true, rate: 600, concurrency: 2 } as const;
  return beginJob(deps, tx, by, { ...order, plan: planOf(plan), filter });
}

async function resultOf(tx: Tx, tenant: string, job: jobs.JobRow): Promise<TestResult> {
  const page = { before: null, limit: jobLimits.callIdsMax };
  const cases = await store.listTestCases(tx, tenant, job.plan_id, page);
  const calls = await jobs.listJobCalls(tx, job, { ...page, state: null });
  const byCall = new Map(calls.map((call) => [call.call_id, call]));
  const runs = await loadRuns(
    tx,
    tenant,
    calls.flatMap(({ run_id }) => run_id ?? []),
  );
  const byId = new Map(runs.map((run) => [run.id, run]));
  const shown = cases.flatMap(({ id, call_id, expected }) => {
    const call = byCall.get(call_id);
    if (!call) return [];
    const run = call.run_id === null ? undefined : byId.get(call.run_id);
    const differences = run ? differencesOf(expected, run) : [];
    const made = differences.length > 0 ? "failed" : "passed";
    const unmade = call.state === "pending" ? "pending" : "error";
    return [
      {
        test_case_id: toPublicId("test_case", id),
        call_id: toPublicId("call", call_id),
        run_id: call.run_id && toPublicId("analysis_run", call.run_id),
        result: run ? made : unmade,
        detail: call.detail,
        differences,
      } as const,
    ];
  });
  const count = (...results: string[]) => shown.filter(({ result }) => results.includes(result)).length;
  return {
    job_id: toPublicId("analysis_job", job.id),
    state: job.state,
    plan: { id: toPublicId("analysis_plan", job.plan_id), version: job.plan_version },
    passed: count("passed"),
    failed: count("failed", "error"),
    pending: count("pending"),
    cases: shown,
  };
}

/** What a call shows now, as people left it. */
async function shownBy(tx: Tx, tenant: string, callId: string): Promise<Expected> {
  const run = await currentRun(tx, tenant, callId);
  if (!run) return { fields: [], criteria: [] };
  const effective = (await overridesOf(tx, tenant, run.id)).at(-1)?.effective ?? run.evaluation;
  return expectedFrom({ fields: run.fields, evaluation: effective });
}

/** What the plan asks for as well. */
function known({ fields, rubric }: PlanDefinition, expected: Expected): Expected {
  const names = new Set(fields.map(({ name }) => name));
  const ids = new Set(rubric?.criteria.map(({ id }) => id));
  return {
    fields: expected.fields.filter(({ name }) => names.has(name)),
    criteria: expected.criteria.filter(({ criterion_id }) => ids.has(criterion_id)),
  };
}

async function newestVersion(tx: Tx, tenant: string, id: string): Promise<PlanRow> {
  const [head] = await versionsOf(tx, tenant, id);
  if (!head) throw new NotFound("Analysis plan");
  return head;
}

function show({ id, plan_id, call_id, note, expected, actor, created_at }: TestCaseRow): TestCase {
  return {
    id: toPublicId("test_case", id),
    plan_id: toPublicId("analysis_plan", plan_id),
    call_id: toPublicId("call", call_id),
    note,
    expected,
    actor,
    created_at: created_at.toISOString(),
  };
}
