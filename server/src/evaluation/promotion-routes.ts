import type { Promotion } from "@aftercall/contract/analysis/job.ts";
import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { analysisRoutes } from "@aftercall/contract/routes/analysis.ts";

import { record } from "#/audit/record.ts";
import { readPage } from "#/db/page.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { Conflict, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { pageOf } from "#/kernel/page.ts";

import { compareRuns, summarise } from "./compare.ts";
import { findJob } from "./job-store.ts";
import * as store from "./promotion-store.ts";
import type { PromotionRow } from "./promotion-store.ts";
import { loadRun, loadRuns } from "./run-store.ts";

type PromotionRoutes = Pick<
  typeof analysisRoutes,
  "compareAnalysisJob" | "promoteAnalysisRun" | "promoteAnalysisJob" | "listPromotions" | "revertPromotion"
>;

/** Runs read into memory at once while a job is compared. */
const runsAtOnce = 200;

/** Calls of a promotion that are still to be made findable by what they show now, from `after` on. */
export type FindLater = { readonly tenantId: string; readonly promotionId: string; readonly after: string };

export type PromotionRouteDeps = {
  readonly db: Db;
  readonly ids: Ids;
  readonly findLater: (tx: Tx, data: FindLater) => Promise<void>;
};

/** What a job made beside what its calls show, and the switch from one to the other and back. */
export function promotionHandlers({ db, ids, findLater }: PromotionRouteDeps): Handlers<PromotionRoutes> {
  return {
    async compareAnalysisJob({ tenant, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const job = await findJob(tx, tenant, params.id);
        if (!job) throw new NotFound("Analysis job");
        const pairs = (await store.candidates(tx, tenant, { jobId: job.id })).flatMap(({ run_before, run_after }) =>
          run_before === null ? [] : [{ run_before, run_after }],
        );
        const comparisons = [];
        for (let at = 0; at < pairs.length; at += runsAtOnce) {
          const some = pairs.slice(at, at + runsAtOnce);
          const rows = await loadRuns(
            tx,
            tenant,
            some.flatMap(({ run_before, run_after }) => [run_before, run_after]),
          );
          const byId = new Map(rows.map((row) => [row.id, row]));
          for (const { run_before, run_after } of some) {
            const [before, after] = [byId.get(run_before), byId.get(run_after)];
            if (before && after) comparisons.push(compareRuns(before, after));
          }
        }
        return summarise(comparisons);
      });
    },

    promoteAnalysisRun: ({ tenant, actor, params }) =>
      db.inTransaction([tenant], async (tx) => {
        const run = await loadRun(tx, tenant, params.id);
        if (!run) throw new NotFound("Analysis run");
        return promote(tx, { tenant, actor }, { runId: run.id }, null);
      }),

    promoteAnalysisJob: ({ tenant, actor, params }) =>
      db.inTransaction([tenant], async (tx) => {
        const job = await findJob(tx, tenant, params.id, "for update");
        if (!job) throw new NotFound("Analysis job");
        if (job.kind === "preview") throw new Conflict("What a preview made never shows at the calls");
        return promote(tx, { tenant, actor }, { jobId: job.id }, job.id);
      }),

    async listPromotions({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("analysis_promotion", query.cursor);
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) => store.listPromotions(probe, tenant, page)),
      );
      return pageOf(rows, query.limit, show, ({ id }) => toPublicId("analysis_promotion", id));
    },

    revertPromotion: ({ tenant, actor, params }) =>
      db.inTransaction([tenant], async (tx) => {
        const row = await existing(tx, tenant, params.id);
        if (row.reverted_at) throw new Conflict("The promotion was reverted before");
        await store.revertPromotion(tx, tenant, row.id);
        await findSome(tx, tenant, row.id);
        const after = await existing(tx, tenant, row.id);
        await audit(tx, { tenant, actor }, "analysis_promotion.reverted", row, after);
        return show(after);
      }),
  };

  async function promote(
    tx: Tx,
    { tenant, actor }: { tenant: string; actor: Actor },
    of: Parameters<typeof store.candidates>[2],
    jobId: string | null,
  ): Promise<Promotion> {
    const calls = await store.candidates(tx, tenant, of);
    if (calls.length === 0)
      throw new Conflict("There is nothing to promote: failed runs and those that show already stay");
    const id = ids.next();
    await store.insertPromotion(tx, { tenantId: tenant, id, jobId, actor: `${actor.kind}:${actor.id}` }, calls);
    await findSome(tx, tenant, id);
    const row = await existing(tx, tenant, id);
    await audit(tx, { tenant, actor }, "analysis_promotion.created", null, row);
    return show(row);
  }

  /** The first calls at once, the others in work of their own: indexing thousands takes longer than a request may. */
  async function findSome(tx: Tx, tenantId: string, promotionId: string): Promise<void> {
    const after = await store.findByWhatIsShown(tx, tenantId, promotionId, null);
    if (after !== null) await findLater(tx, { tenantId, promotionId, after });
  }

  async function audit(
    tx: Tx,
    by: { tenant: string; actor: Actor },
    action: string,
    before: PromotionRow | null,
    after: PromotionRow,
  ): Promise<void> {
    const subject = toPublicId("analysis_promotion", after.id);
    const sides = { before: before && show(before), after: show(after) };
    await record(tx, ids, { ...by, action, subject, ...sides, detail: { calls: after.calls } });
  }
}

async function existing(tx: Tx, tenant: string, id: string): Promise<PromotionRow> {
  const row = await store.loadPromotion(tx, tenant, id);
  if (!row) throw new NotFound("Promotion");
  return row;
}

function show(row: PromotionRow): Promotion {
  return {
    id: toPublicId("analysis_promotion", row.id),
    job_id: row.job_id && toPublicId("analysis_job", row.job_id),
    calls: row.calls,
    actor: row.actor,
    created_at: row.created_at.toISOString(),
    reverted_at: row.reverted_at?.toISOString() ?? null,
  };
}

/** Makes the rest of a promotion's calls findable by what they show, a transaction for some of them at a time; may be done twice. */
export async function findRest(
  db: Db,
  { tenantId, promotionId, after }: FindLater,
  signal: AbortSignal,
): Promise<void> {
  for (let at: string | null = after; at !== null;) {
    signal.throwIfAborted();
    const from: string = at;
    // oxlint-disable-next-line no-await-in-loop -- In their order, and never many locked at once.
    at = await db.inTransaction([tenantId], (tx) => store.findByWhatIsShown(tx, tenantId, promotionId, from));
  }
}
