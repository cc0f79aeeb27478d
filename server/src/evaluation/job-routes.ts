import type { AnalysisJob, JobCall, JobCounts, JobFilter } from "@aftercall/contract/analysis/job.ts";
import { jobLimits } from "@aftercall/contract/analysis/job.ts";
import type { SectionName } from "@aftercall/contract/analysis/run.ts";
import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { analysisRoutes } from "@aftercall/contract/routes/analysis.ts";

import { type Deed, record } from "#/audit/record.ts";
import { loadCall } from "#/calls/store.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { Conflict, Invalid, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { pageOf } from "#/kernel/page.ts";

import { builtinPlans } from "./default-plans.ts";
import { estimateOf } from "./estimate.ts";
import type { Priced } from "./estimate.ts";
import * as store from "./job-store.ts";
import type { JobCallRow, JobRow, Selection } from "./job-store.ts";
import { planFaults } from "./plan-faults.ts";
import { planOf, versionsOf } from "./plan-store.ts";
import type { EnqueueJob } from "./run-job.ts";
import type { Plan } from "./run.ts";

export type JobRouteDeps = {
  readonly db: Db;
  readonly ids: Ids;
  readonly enqueueJob: EnqueueJob;
  /** The plan that is for a call now. */
  readonly planFor: (tx: Tx, tenantId: string, callId: string) => Promise<Plan>;
  /** The tenant's language model; null where analyses are made without one. */
  readonly languageModel: (tx: Tx, tenantId: string) => Promise<Priced | null>;
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

type Order = {
  readonly kind: JobRow["kind"];
  readonly plan: Plan;
  readonly filter: JobFilter;
  readonly sections: readonly SectionName[];
  readonly isForced: boolean;
  readonly rate: number;
  readonly concurrency: number;
};

/** Calls analysed once more: counted first, then worked through at a rate, held, continued and ended at will. */
export function jobHandlers(deps: JobRouteDeps): Handlers<JobRoutes> {
  const { db, ids } = deps;
  return {
    previewAnalysisPlan: ({ tenant, actor, params, body }) =>
      db.inTransaction([tenant], async (tx) => {
        const [head] = await versionsOf(tx, tenant, params.id);
        if (!head) throw new NotFound("Analysis plan");
        const faults = planFaults(head.definition);
        if (faults.length > 0) throw new Invalid("The plan cannot be tried as it is; errors says where", faults);
        const { sections, call_ids } = body;
        const order = { kind: "preview", sections, filter: { call_ids }, isForced: true, ...single } as const;
        return begin(tx, { tenant, actor }, { ...order, plan: planOf(head) });
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
        return begin(tx, { tenant, actor }, { kind: "rerun", plan, sections, filter, isForced, ...single });
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
        const estimate = await estimated(tx, tenant, order, toDo, counted.characters);
        return {
          count: counted.count,
          identical: counted.identical,
          without_transcript: counted.without,
          estimate,
          sample: counted.sample.map((id) => toPublicId("call", id)),
          job: body.dry_run || toDo === 0 ? null : await begin(tx, { tenant, actor }, order),
        };
      }),

    async listAnalysisJobs({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("analysis_job", query.cursor);
      return db.inTransaction([tenant], async (tx) => {
        const rows = await store.listJobs(tx, tenant, { state: query.state ?? null, before, limit: query.limit + 1 });
        const ofRows = rows.map(({ id }) => id);
        const counts = await store.countsOf(tx, tenant, ofRows);
        const show = (row: JobRow) => showJob(row, counts.get(row.id));
        return pageOf(rows, query.limit, show, ({ id }) => toPublicId("analysis_job", id));
      });
    },

    getAnalysisJob: ({ tenant, params }) =>
      db.inTransaction([tenant], async (tx) => shown(tx, await existing(tx, tenant, params.id))),

    listAnalysisJobCalls: ({ tenant, params, query }) =>
      db.inTransaction([tenant], async (tx) => {
        const job = await existing(tx, tenant, params.id);
        const before = query.cursor === undefined ? null : fromPublicId("call", query.cursor);
        const page = { state: query.state ?? null, before, limit: query.limit + 1 };
        const rows = await store.listJobCalls(tx, job, page);
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

  async function begin(tx: Tx, { tenant, actor }: By, order: Order): Promise<AnalysisJob> {
    const { plan, sections, filter, isForced } = order;
    const counted = await store.countSelection(tx, tenant, order);
    if (order.kind !== "bulk" && counted.count < (filter.call_ids?.length ?? 0)) {
      throw new Invalid("Some of these calls cannot be analysed", [
        { pointer: "/call_ids", detail: "Only calls of yours that are over, and that were not merged into another" },
      ]);
    }
    const toDo = counted.count - counted.identical - counted.without;
    const row = await store.insertJob(tx, {
      tenant_id: tenant,
      id: ids.next(),
      kind: order.kind,
      plan_id: plan.id,
      plan_version: plan.version,
      sections,
      filter: shownFilter(filter),
      is_forced: isForced,
      rate_per_minute: order.rate,
      concurrency: order.concurrency,
      estimate: await estimated(tx, tenant, order, toDo, counted.characters),
      actor: `${actor.kind}:${actor.id}`,
    });
    await store.insertSelection(tx, row, order, jobLimits.callsMax);
    await deps.enqueueJob(tx, { tenantId: tenant, jobId: row.id, run: row.run_count });
    const after = await shown(tx, row);
    const detail = { kind: order.kind, count: counted.count };
    await audit(tx, { tenant, actor }, "analysis_job.created", row, { after, detail });
    return after;
  }

  async function estimated(tx: Tx, tenant: string, order: Order, calls: number, characters: number) {
    const { plan, sections } = order;
    const job = { calls, characters, plan: plan.definition, sections };
    return estimateOf(job, await deps.languageModel(tx, tenant));
  }

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
      await audit(tx, by, `analysis_job.${deed}`, row, sides);
      return shown(tx, row);
    });
  }

  async function audit(
    tx: Tx,
    by: By,
    action: string,
    row: JobRow,
    what: Pick<Deed, "before" | "after" | "detail">,
  ): Promise<void> {
    await record(tx, ids, { ...by, action, subject: toPublicId("analysis_job", row.id), ...what });
  }
}

type By = { readonly tenant: string; readonly actor: Actor };

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

async function shown(tx: Tx, row: JobRow): Promise<AnalysisJob> {
  return showJob(row, (await store.countsOf(tx, row.tenant_id, [row.id])).get(row.id));
}

function showJob(row: JobRow, counts: JobCounts | undefined): AnalysisJob {
  return {
    id: toPublicId("analysis_job", row.id),
    kind: row.kind,
    state: row.state,
    plan: { id: toPublicId("analysis_plan", row.plan_id), version: row.plan_version },
    sections: [...row.sections],
    filter: { ...row.filter },
    is_forced: row.is_forced,
    rate_per_minute: row.rate_per_minute,
    concurrency: row.concurrency,
    estimate: row.estimate,
    counts: counts ?? { total: 0, pending: 0, done: 0, identical: 0, skipped: 0, failed: 0 },
    actor: row.actor,
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  };
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

/** The filter as it was asked for, with public ids. */
function shownFilter({ call_ids, campaign_id, ...rest }: Selection["filter"]): Record<string, unknown> {
  return {
    ...rest,
    ...(call_ids && { call_ids: call_ids.map((id) => toPublicId("call", id)) }),
    ...(campaign_id && { campaign_id: toPublicId("campaign", campaign_id) }),
  };
}
