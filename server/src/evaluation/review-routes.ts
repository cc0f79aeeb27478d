import type { EffectiveEvaluation, Override, ReviewedRun, ReviewState } from "@aftercall/contract/analysis/review.ts";
import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { analysisRoutes } from "@aftercall/contract/routes/analysis.ts";

import { type Deed, record } from "#/audit/record.ts";
import type { React } from "#/calls/change.ts";
import { loadCall } from "#/calls/store.ts";
import { readPage } from "#/db/page.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { Conflict, Invalid, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { pageOf } from "#/kernel/page.ts";

import { agreementOf } from "./agreement.ts";
import { compareRuns } from "./compare.ts";
import { builtinPlans } from "./default-plans.ts";
import { effectiveOf } from "./effective.ts";
import { loadPlan, versionsOf } from "./plan-store.ts";
import { providerRunsOf } from "./provider-run-store.ts";
import * as store from "./review-store.ts";
import { currentRun, listRuns, loadRun } from "./run-store.ts";
import { type RunRow, showRun } from "./run.ts";
import { scoresOf } from "./scores.ts";

export type ReviewRouteDeps = {
  readonly db: Db;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly react: React;
};

type ReviewRoutes = Pick<
  typeof analysisRoutes,
  | "listAnalysisRuns"
  | "listCallScores"
  | "getAnalysisRun"
  | "compareAnalysisRuns"
  | "overrideCriterion"
  | "reviewAnalysisRun"
  | "getAgreement"
>;

/** What was made of calls, and people's word on it. What the machine said is never written over. */
export function reviewHandlers({ db, ids, clock, react }: ReviewRouteDeps): Handlers<ReviewRoutes> {
  return {
    async listAnalysisRuns({ tenant, params, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("analysis_run", query.cursor);
      const rows = await db.inTransaction([tenant], async (tx) => {
        const call = await loadCall(tx, tenant, params.id);
        if (!call) throw new NotFound("Call");
        return readPage(tx, query, before, (probe, page) => listRuns(probe, tenant, call.id, page.before, page.limit));
      });
      return pageOf(rows, query.limit, showRun, ({ id }) => toPublicId("analysis_run", id));
    },

    listCallScores: ({ tenant, params }) =>
      db.inTransaction([tenant], async (tx) => {
        const call = await loadCall(tx, tenant, params.id);
        if (!call) throw new NotFound("Call");
        const row = await scoredRun(tx, tenant, call.id);
        if (!row?.evaluation) return { data: [] };
        const overrides = await store.overridesOf(tx, tenant, row.id);
        return { data: scoresOf(row, overrides.at(-1)?.effective ?? row.evaluation, overrides) };
      }),

    getAnalysisRun: ({ tenant, params }) =>
      db.inTransaction([tenant], async (tx) => reviewed(tx, await existing(tx, tenant, params.id))),

    compareAnalysisRuns: ({ tenant, params, query }) =>
      db.inTransaction([tenant], async (tx) => {
        const after = await existing(tx, tenant, params.id);
        const before =
          query.with === undefined ? await currentRun(tx, tenant, after.callId) : await loadRun(tx, tenant, query.with);
        if (before === null && query.with === undefined) throw new Conflict("The call shows no run yet");
        if (before?.callId !== after.callId) {
          throw new Invalid("Only runs of one call can be compared", [
            { pointer: "?with", detail: "No run of this call has this id" },
          ]);
        }
        return compareRuns(before, after);
      }),

    async overrideCriterion({ tenant, actor, params, body }) {
      const { run, afterCommit } = await db.inTransaction([tenant], async (tx) => {
        const row = await existing(tx, tenant, params.id);
        const machine = row.evaluation;
        const criterion = machine?.results.find(({ criterion_id }) => criterion_id === body.criterion_id);
        if (!machine || !criterion) {
          throw new Invalid("The run has no such criterion", [
            { pointer: "/criterion_id", detail: "Not a criterion of the scorecard of this run" },
          ]);
        }
        if (body.points !== undefined && body.points > criterion.max_points) {
          throw new Invalid("Too many points", [
            { pointer: "/points", detail: `The criterion has ${criterion.max_points} points at most` },
          ]);
        }
        await store.lockForReview(tx, tenant, row.callId);
        const { criterion_id, verdict, reason, comment } = body;
        const points = body.points ?? null;
        const earlier = await store.overridesOf(tx, tenant, row.id);
        const said = [...earlier, { criterion_id, verdict, points }].map((one) => ({
          criterionId: one.criterion_id,
          verdict: one.verdict,
          points: one.points,
        }));
        const effective = effectiveOf(machine, said, await thresholdsOf(tx, row));
        const id = ids.next();
        const by = `${actor.kind}:${actor.id}`;
        const override = { id, criterion_id, verdict, points, reason, comment, actor: by, effective };
        await store.insertOverride(tx, { tenantId: tenant, runId: row.id, ...override });
        const last = earlier.findLast((one) => one.criterion_id === criterion_id) ?? criterion;
        await audit(tx, { tenant, actor }, "evaluation.overridden", row, {
          before: { verdict: last.verdict, points: last.points },
          after: { verdict, points },
          detail: { criterion_id, reason },
        });
        const occurredAt = clock.now();
        const afterCommit = await react(tx, [
          {
            type: "evaluation.overridden",
            tenantId: tenant,
            callId: row.callId,
            runId: row.id,
            overrideId: id,
            override: { ...withoutEffective(override), created_at: new Date(occurredAt).toISOString() },
            machine: criterion.verdict,
            effective,
            occurredAt,
          },
        ]);
        return { run: await reviewed(tx, row), afterCommit };
      });
      for (const follow of afterCommit) follow();
      return run;
    },

    reviewAnalysisRun: ({ tenant, actor, params, body }) =>
      db.inTransaction([tenant], async (tx) => {
        const row = await existing(tx, tenant, params.id);
        if (!row.evaluation) throw new Conflict("The run has no scorecard, so there is nothing to review");
        await store.lockForReview(tx, tenant, row.callId);
        const last = (await store.reviewsOf(tx, tenant, row.id)).at(-1)?.state ?? "none";
        if (!follows[last].includes(body.state)) {
          const open = follows[last].join(", ");
          throw new Conflict(`A review that is ${last} cannot become ${body.state}; it may become ${open}`);
        }
        const by = `${actor.kind}:${actor.id}`;
        await store.insertReview(tx, { tenantId: tenant, id: ids.next(), runId: row.id, actor: by, ...body });
        await audit(tx, { tenant, actor }, "evaluation.reviewed", row, {
          before: { state: last },
          after: { state: body.state },
        });
        return reviewed(tx, row);
      }),

    getAgreement: ({ tenant, params, query }) =>
      db.inTransaction([tenant], async (tx) => {
        const isBuiltin = builtinPlans.some(({ id }) => id === params.id);
        if (!isBuiltin && (await versionsOf(tx, tenant, params.id)).length === 0) throw new NotFound("Analysis plan");
        const judged = await store.judgedRuns(tx, tenant, { id: params.id, version: query.version ?? null });
        return { data: agreementOf(judged) };
      }),
  };

  async function audit(
    tx: Tx,
    by: { tenant: string; actor: Actor },
    action: string,
    row: RunRow,
    what: Pick<Deed, "before" | "after" | "detail">,
  ): Promise<void> {
    await record(tx, ids, { ...by, action, subject: toPublicId("analysis_run", row.id), ...what });
  }
}

/** What a review may become. Accepting is `acknowledged`; a person may do so at once. */
const follows: Readonly<Record<ReviewState | "none", readonly ReviewState[]>> = {
  none: ["draft", "submitted", "acknowledged", "disputed"],
  draft: ["draft", "submitted", "acknowledged", "voided"],
  submitted: ["acknowledged", "disputed", "voided"],
  acknowledged: ["disputed", "voided"],
  disputed: ["resolved", "voided"],
  resolved: ["acknowledged", "disputed", "voided"],
  voided: ["draft"],
};

async function existing(tx: Tx, tenant: string, id: string): Promise<RunRow> {
  const row = await loadRun(tx, tenant, id);
  if (!row) throw new NotFound("Analysis run");
  return row;
}

/** The run that a call shows; where that has no scorecard, the provider's. */
async function scoredRun(tx: Tx, tenantId: string, callId: string): Promise<RunRow | null> {
  const current = await currentRun(tx, tenantId, callId);
  if (current?.evaluation) return current;
  const told = (await providerRunsOf(tx, [{ tenantId, callId }])).get(callId);
  return told ? loadRun(tx, tenantId, told.id) : null;
}

async function reviewed(tx: Tx, row: RunRow): Promise<ReviewedRun> {
  const overrides = await store.overridesOf(tx, row.tenantId, row.id);
  const reviews = await store.reviewsOf(tx, row.tenantId, row.id);
  const machine: EffectiveEvaluation | null = row.evaluation;
  return {
    ...showRun(row),
    overrides: overrides.map((one) => ({ ...withoutEffective(one), created_at: one.created_at.toISOString() })),
    effective: overrides.at(-1)?.effective ?? machine,
    reviews: reviews.map(({ created_at, ...rest }) => ({ ...rest, created_at: created_at.toISOString() })),
  };
}

/** Overrides have no public id of their own kind; they are named by their place in the run. */
function withoutEffective<Row extends Omit<Override, "created_at">>(row: Row): Omit<Override, "created_at"> {
  const { id, criterion_id, verdict, points, reason, comment, actor } = row;
  return { id, criterion_id, verdict, points, reason, comment, actor };
}

/** What the scorecard was held against: of the very version that filled it in. */
async function thresholdsOf(tx: Tx, { tenantId, planId, planVersion }: RunRow) {
  const builtin = builtinPlans.find(({ id }) => id === planId);
  const plan = builtin ?? (await loadPlan(tx, tenantId, planId, planVersion));
  return plan?.definition.rubric ?? { pass_threshold: 70, min_coverage: 0.6 };
}
