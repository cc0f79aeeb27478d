import type { AnalysisJob, JobCall } from "@aftercall/contract/analysis/job.ts";
import { jobLimits } from "@aftercall/contract/analysis/job.ts";
import type { Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { analysisRoutes } from "@aftercall/contract/routes/analysis.ts";

import { loadCall } from "#/calls/store.ts";
import { readPage } from "#/db/page.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { Conflict, Invalid, NotFound } from "#/kernel/errors.ts";
import { pageOf } from "#/kernel/page.ts";

import { auditJob, beginJob, type BeginDeps, type By, estimated, type Order, showJob, shown } from "./begin-job.ts";
import { builtinPlans } from "./default-plans.ts";
import * as store from "./job-store.ts";
import type { JobCallRow, JobRow } from "./job-store.ts";
import { planFaults } from "./plan-faults.ts";
import { planOf, versionsOf } from "./plan-store.ts";
import type { Plan } from "./run.ts";

export type JobRouteDeps = BeginDeps & {
  readonly db: Db;
  /** The plan that is for a call now. */
  readonly planFor: (tx: Tx, tenantId: string, callId: string) => Promise<Plan>;
};

type JobRoutes = Pick<
  typeof analysisRoutes,
  | "previewAnalysisPlan"
  | "rerunAnalysis"
  | "createAnalysisJob"
  | "listAnalysisJobs"
  | "getAnalysisJob"
  | "listAnalysisJobCalls"
  | "pauseAnalysisJob"
  | "resumeAnalysisJob"
  | "cancelAnalysisJob"
>;

/** Calls analysed once more: counted first, then worked through at a rate, held, continued and ended at will. */
export function jobHandlers(deps: JobRouteDeps): Handlers<JobRoutes> {
  const { db } = deps;
  return {
    previewAnalysisPlan: ({ tenant, actor, params, body }) =>
      db.inTransaction([tenant], async (tx) => {
        const [head] = await versionsOf(tx, tenant, params.id);
        if (!head) throw new NotFound("Analysis plan");
        const faults = planFaults(head.definition);
        if (faults.length > 0) throw new Invalid("The plan cannot be tried as it is; errors says where", faults);
        const { sections, call_ids } = body;
        const order = { kind: "preview", sections, filter: { call_ids }, isForced: true, ...single } as const;
        return beginJob(deps, tx, { tenant, actor }, { ...order, plan: planOf(head) });
      }),

    rerunAnalysis: ({ tenant, actor, params, body }) =>
      db.inTransaction([tenant], async (tx) => {
        const call = await loadCall(tx, tenant, params.id);
        if (!call) throw new NotFound("Call");
        const plan =
          body.plan_id === undefined
            ? await deps.planFor(tx, tenant, call.id)
            : await publishedVersion(tx, tenant, body.plan_id, body.version);
        const { sections, force: isForced } = body;
        const filter = { call_ids: [call.id] };
        return beginJob(deps, tx, { tenant, actor }, { kind: "rerun", plan, sections, filter, isForced, ...single });
      }),

    createAnalysisJob: ({ tenant, actor, body }) =>
      db.inTransaction([tenant], async (tx) => {
        const plan = await publishedVersion(tx, tenant, body.plan_id, body.version);
        const { filter, sections, force: isForced, rate_per_minute: rate, concurrency } = body;
        const order: Order = { kind: "bulk", plan, filter, sections, isForced, rate, concurrency };
        const counted = await store.countSelection(tx, tenant, order);
        if (counted.count > jobLimits.callsMax) {
          throw new Invalid("Too many calls for one job", [
            { pointer: "/filter", detail: `It finds ${counted.count} calls; one job takes ${jobLimits.callsMax}` },
          ]);
        }
        const toDo = counted.count - counted.identical - counted.without;
        const estimate = await estimated(deps, tx, tenant, order, toDo, counted.characters);
        return {
          count: counted.count,
          identical: counted.identical,
          without_transcript: counted.without,
          estimate,
          sample: counted.sample.map((id) => toPublicId("call", id)),
          job: body.dry_run || toDo === 0 ? null : await beginJob(deps, tx, { tenant, actor }, order),
        };
      }),

    async listAnalysisJobs({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("analysis_job", query.cursor);
      return db.inTransaction([tenant], async (tx) => {
        const state = query.state ?? null;
        const found = await readPage(tx, query, before, (probe, page) =>
          store.listJobs(probe, tenant, { state, ...page }),
        );
        const ofRows = found.rows.map(({ id }) => id);
        const counts = await store.countsOf(tx, tenant, ofRows);
        const show = (row: JobRow) => showJob(row, counts.get(row.id));
        return pageOf(found, query.limit, show, ({ id }) => toPublicId("analysis_job", id));
      });
    },

    getAnalysisJob: ({ tenant, params }) =>
      db.inTransaction([tenant], async (tx) => shown(tx, await existing(tx, tenant, params.id))),

    listAnalysisJobCalls: ({ tenant, params, query }) =>
      db.inTransaction([tenant], async (tx) => {
        const job = await existing(tx, tenant, params.id);
        const before = query.cursor === undefined ? null : fromPublicId("call", query.cursor);
        const state = query.state ?? null;
        const rows = await readPage(tx, query, before, (probe, page) =>
          store.listJobCalls(probe, job, { state, ...page }),
        );
        return pageOf(rows, query.limit, showJobCall, ({ call_id }) => toPublicId("call", call_id));
      }),

    pauseAnalysisJob: ({ tenant, actor, params }) =>
      changing({ tenant, actor }, params.id, "paused", async (tx, row) => {
        if (row.state !== "running") throw new Conflict(`The job is not running: it is ${row.state}`);
        return store.setJobState(tx, row, "paused");
      }),

    resumeAnalysisJob: ({ tenant, actor, params }) =>
      changing({ tenant, actor }, params.id, "resumed", async (tx, row) => {
        if (row.state !== "paused") throw new Conflict(`The job is not paused: it is ${row.state}`);
        const running = await store.setJobState(tx, row, "running");
        await deps.enqueueJob(tx, { tenantId: tenant, jobId: row.id, run: running.run_count });
        return running;
      }),

    cancelAnalysisJob: ({ tenant, actor, params }) =>
      changing({ tenant, actor }, params.id, "canceled", async (tx, row) => {
        if (row.state === "canceled" || row.state === "done") throw new Conflict(`The job is over: it is ${row.state}`);
        return store.setJobState(tx, row, "canceled");
      }),
  };

  async function changing(
    by: By,
    id: string,
    deed: string,
    work: (tx: Tx, row: JobRow) => Promise<JobRow>,
  ): Promise<AnalysisJob> {
    return db.inTransaction([by.tenant], async (tx) => {
      const before = await existing(tx, by.tenant, id, "for update");
      const row = await work(tx, before);
      const sides = { before: { state: before.state }, after: { state: row.state } };
      await auditJob(deps, tx, by, `analysis_job.${deed}`, row, sides);
      return shown(tx, row);
    });
  }
}

const single = { rate: 600, concurrency: 2 } as const;

/** A version that calls may be analysed by; without a number the newest one. */
async function publishedVersion(tx: Tx, tenant: string, id: string, version: number | undefined): Promise<Plan> {
  const builtin = builtinPlans.find((plan) => plan.id === id);
  if (builtin) return builtin;
  const rows = await versionsOf(tx, tenant, id);
  const found = rows.find((row) => row.status !== "draft" && (version === undefined || row.version === version));
  if (found) return planOf(found);
  const pointer = rows.length === 0 ? "/plan_id" : "/version";
  const detail = rows.length === 0 ? "No analysis plan of yours has this id" : "No such version was published";
  throw new Invalid("Unknown analysis plan", [{ pointer, detail }]);
}

async function existing(tx: Tx, tenant: string, id: string, lock: "for update" | "" = ""): Promise<JobRow> {
  const row = await store.findJob(tx, tenant, id, lock);
  if (!row) throw new NotFound("Analysis job");
  return row;
}

function showJobCall(row: JobCallRow): JobCall {
  return {
    call_id: toPublicId("call", row.call_id),
    state: row.state,
    run_id: row.run_id && toPublicId("analysis_run", row.run_id),
    reason: row.reason,
    detail: row.detail,
    attempts: row.attempt,
    next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}
