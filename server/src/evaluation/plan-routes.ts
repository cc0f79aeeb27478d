import type { AnalysisPlan } from "@aftercall/contract/analysis/plan.ts";
import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { analysisRoutes } from "@aftercall/contract/routes/analysis.ts";

import { record } from "#/audit/record.ts";
import { readPage } from "#/db/page.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { Conflict, Invalid, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { pageOf } from "#/kernel/page.ts";

import { planFaults } from "./plan-faults.ts";
import * as store from "./plan-store.ts";
import type { PlanRow } from "./plan-store.ts";

type PlanRoutes = Pick<
  typeof analysisRoutes,
  | "listAnalysisPlans"
  | "createAnalysisPlan"
  | "orderAnalysisPlans"
  | "getAnalysisPlan"
  | "updateAnalysisPlan"
  | "publishAnalysisPlan"
  | "draftAnalysisPlan"
  | "archiveAnalysisPlan"
>;

export type PlanRouteDeps = {
  readonly db: Db;
  readonly ids: Ids;
  /** Runs a version that was just published over its test cases, where it has any. */
  readonly test: (tx: Tx, by: { readonly tenant: string; readonly actor: Actor }, plan: PlanRow) => Promise<unknown>;
};

/** Analysis plans: written as drafts, checked and numbered when they are published, and never changed after. */
export function planHandlers({ db, ids, test }: PlanRouteDeps): Handlers<PlanRoutes> {
  return {
    async listAnalysisPlans({ tenant, query }) {
      const after = query.cursor === undefined ? null : fromPublicId("analysis_plan", query.cursor);
      const status = query.status ?? null;
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, after, (probe, page) =>
          store.listPlans(probe, tenant, { status, after: page.before, limit: page.limit }),
        ),
      );
      return pageOf(rows, query.limit, showPlan, ({ id }) => toPublicId("analysis_plan", id));
    },

    createAnalysisPlan: ({ tenant, actor, body }) =>
      db.inTransaction([tenant], async (tx) => {
        const draft = { ...body, tenantId: tenant, id: ids.next(), version: 1, createdBy: nameOf(actor) };
        const row = await store.insertDraft(tx, draft);
        await audit(tx, { tenant, actor }, "analysis_plan.created", null, row);
        return showPlan(row);
      }),

    orderAnalysisPlans: ({ tenant, actor, body }) =>
      db.inTransaction([tenant], async (tx) => {
        const before = await orderOf(tx, tenant);
        await store.orderPlans(tx, tenant, body.ids);
        const after = await orderOf(tx, tenant);
        const subject = toPublicId("tenant", tenant);
        await record(tx, ids, { tenant, actor, action: "analysis_plans.ordered", subject, before, after });
        return after;
      }),

    getAnalysisPlan: ({ tenant, params }) =>
      db.inTransaction([tenant], async (tx) => showVersions(await versions(tx, tenant, params.id))),

    updateAnalysisPlan: ({ tenant, actor, params, body, ifMatch }) =>
      db.inTransaction([tenant], async (tx) => {
        const rows = await versions(tx, tenant, params.id, "for update");
        ifMatch?.(showVersions(rows));
        const draft = draftOf(rows);
        const row = await store.saveDraft(tx, {
          ...draft,
          name: body.name ?? draft.name,
          definition: body.definition ?? draft.definition,
        });
        await audit(tx, { tenant, actor }, "analysis_plan.updated", draft, row);
        return showVersions(rows.map((one) => (one === draft ? row : one)));
      }),

    publishAnalysisPlan: ({ tenant, actor, params }) =>
      db.inTransaction([tenant], async (tx) => {
        const draft = draftOf(await versions(tx, tenant, params.id, "for update"));
        const faults = planFaults(draft.definition);
        if (faults.length > 0) throw new Invalid("The plan cannot be published as it is; errors says where", faults);
        const row = await store.publishDraft(tx, draft);
        await audit(tx, { tenant, actor }, "analysis_plan.published", draft, row);
        await test(tx, { tenant, actor }, row);
        return showPlan(row);
      }),

    draftAnalysisPlan: ({ tenant, actor, params, body }) =>
      db.inTransaction([tenant], async (tx) => {
        const rows = await versions(tx, tenant, params.id, "for update");
        if (rows.some(({ status }) => status === "draft")) throw new Conflict("The plan has a draft already");
        const from =
          body.from_version === undefined ? rows[0] : rows.find(({ version }) => version === body.from_version);
        if (!from)
          throw new Invalid("No such version", [{ pointer: "/from_version", detail: "The plan has no such version" }]);
        const { id, name, definition } = from;
        const version = Math.max(...rows.map((row) => row.version)) + 1;
        const row = await store.insertDraft(tx, {
          tenantId: tenant,
          id,
          version,
          name,
          definition,
          createdBy: nameOf(actor),
        });
        await audit(tx, { tenant, actor }, "analysis_plan.drafted", null, row);
        return showPlan(row);
      }),

    archiveAnalysisPlan: ({ tenant, actor, params }) =>
      db.inTransaction([tenant], async (tx) => {
        const [head] = await versions(tx, tenant, params.id, "for update");
        await store.archivePlan(tx, tenant, params.id);
        const left = await store.versionsOf(tx, tenant, params.id);
        await audit(tx, { tenant, actor }, "analysis_plan.archived", head ?? null, left[0] ?? null);
        return { id: toPublicId("analysis_plan", params.id), versions: left.map(showPlan) };
      }),
  };

  async function audit(
    tx: Tx,
    by: { tenant: string; actor: Actor },
    action: string,
    before: PlanRow | null,
    after: PlanRow | null,
  ): Promise<void> {
    const row = after ?? before;
    if (!row) throw new NotFound("Analysis plan");
    const subject = toPublicId("analysis_plan", row.id);
    const sides = { before: before && showPlan(before), after: after && showPlan(after) };
    await record(tx, ids, { ...by, action, subject, ...sides, detail: { version: row.version } });
  }
}

/** The plans in the order in which they are tried. */
async function orderOf(tx: Tx, tenant: string): Promise<{ ids: string[] }> {
  const rows = await store.listPlans(tx, tenant, { status: null, after: null, limit: 500 });
  return { ids: rows.map(({ id }) => toPublicId("analysis_plan", id)) };
}

/** All versions of a plan that is there. */
async function versions(tx: Tx, tenant: string, id: string, lock: "for update" | "" = ""): Promise<PlanRow[]> {
  const rows = await store.versionsOf(tx, tenant, id, lock);
  if (rows.length === 0) throw new NotFound("Analysis plan");
  return rows;
}

function draftOf(rows: readonly PlanRow[]): PlanRow {
  const draft = rows.find(({ status }) => status === "draft");
  if (draft) return draft;
  throw new Conflict("A published plan never changes: begin its next version with POST /v1/analysis-plans/{id}/draft");
}

function showVersions(rows: readonly PlanRow[]) {
  return { id: toPublicId("analysis_plan", rows[0]?.id ?? ""), versions: rows.map(showPlan) };
}

function showPlan({ id, version, name, status, definition, created_at, published_at }: PlanRow): AnalysisPlan {
  return {
    id: toPublicId("analysis_plan", id),
    version,
    name,
    status,
    definition,
    created_at: created_at.toISOString(),
    published_at: published_at?.toISOString() ?? null,
  };
}

function nameOf({ kind, id }: Actor): string {
  return `${kind}:${id}`;
}
