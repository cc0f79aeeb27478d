import type { AnalysisJob, JobCounts, JobFilter } from "@aftercall/contract/analysis/job.ts";
import { jobLimits } from "@aftercall/contract/analysis/job.ts";
import type { SectionName } from "@aftercall/contract/analysis/run.ts";
import type { Actor } from "@aftercall/contract/api.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import { type Deed, record } from "#/audit/record.ts";
import type { Tx } from "#/db/transaction.ts";
import { Invalid } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";

import { estimateOf } from "./estimate.ts";
import type { Priced } from "./estimate.ts";
import * as store from "./job-store.ts";
import type { JobRow, Selection } from "./job-store.ts";
import type { EnqueueJob } from "./run-job.ts";
import type { Plan } from "./run.ts";

export type BeginDeps = {
  readonly ids: Ids;
  readonly enqueueJob: EnqueueJob;
  /** The tenant's language model; null where analyses are made without one. */
  readonly languageModel: (tx: Tx, tenantId: string) => Promise<Priced | null>;
};

export type By = { readonly tenant: string; readonly actor: Actor };

export type Order = {
  readonly kind: JobRow["kind"];
  readonly plan: Plan;
  readonly filter: JobFilter;
  readonly sections: readonly SectionName[];
  readonly isForced: boolean;
  readonly rate: number;
  readonly concurrency: number;
};

/** Writes a job with its calls down and queues it. @throws Invalid */
export async function beginJob(deps: BeginDeps, tx: Tx, { tenant, actor }: By, order: Order): Promise<AnalysisJob> {
  const { plan, sections, filter, isForced } = order;
  const counted = await store.countSelection(tx, tenant, order);
  const isNamed = order.kind === "preview" || order.kind === "rerun";
  if (isNamed && counted.count < (filter.call_ids?.length ?? 0)) {
    throw new Invalid("Some of these calls cannot be analysed", [
      { pointer: "/call_ids", detail: "Only calls of yours that are over, and that were not merged into another" },
    ]);
  }
  const toDo = counted.count - counted.identical - counted.without;
  const row = await store.insertJob(tx, {
    tenant_id: tenant,
    id: deps.ids.next(),
    kind: order.kind,
    plan_id: plan.id,
    plan_version: plan.version,
    sections,
    filter: shownFilter(filter),
    is_forced: isForced,
    rate_per_minute: order.rate,
    concurrency: order.concurrency,
    estimate: await estimated(deps, tx, tenant, order, toDo, counted.characters),
    actor: `${actor.kind}:${actor.id}`,
  });
  await store.insertSelection(tx, row, order, jobLimits.callsMax);
  await deps.enqueueJob(tx, { tenantId: tenant, jobId: row.id, run: row.run_count });
  const after = await shown(tx, row);
  const detail = { kind: order.kind, count: counted.count };
  await auditJob(deps, tx, { tenant, actor }, "analysis_job.created", row, { after, detail });
  return after;
}

/** What so many calls with so many characters take. */
export async function estimated(
  { languageModel }: Pick<BeginDeps, "languageModel">,
  tx: Tx,
  tenant: string,
  { plan, sections }: Pick<Order, "plan" | "sections">,
  calls: number,
  characters: number,
) {
  return estimateOf({ calls, characters, plan: plan.definition, sections }, await languageModel(tx, tenant));
}

export async function auditJob(
  { ids }: Pick<BeginDeps, "ids">,
  tx: Tx,
  by: By,
  action: string,
  row: JobRow,
  what: Pick<Deed, "before" | "after" | "detail">,
): Promise<void> {
  await record(tx, ids, { ...by, action, subject: toPublicId("analysis_job", row.id), ...what });
}

export async function shown(tx: Tx, row: JobRow): Promise<AnalysisJob> {
  return showJob(row, (await store.countsOf(tx, row.tenant_id, [row.id])).get(row.id));
}

export function showJob(row: JobRow, counts: JobCounts | undefined): AnalysisJob {
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

/** The filter as it was asked for, with public ids. */
function shownFilter({ call_ids, campaign_id, ...rest }: Selection["filter"]): Record<string, unknown> {
  return {
    ...rest,
    ...(call_ids && { call_ids: call_ids.map((id) => toPublicId("call", id)) }),
    ...(campaign_id && { campaign_id: toPublicId("campaign", campaign_id) }),
  };
}
