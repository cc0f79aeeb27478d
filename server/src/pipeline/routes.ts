import { StepName } from "@aftercall/contract/analysis/step.ts";
import type { Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { pipelineRoutes } from "@aftercall/contract/routes/pipeline.ts";

import { record as recordAudit } from "#/audit/record.ts";
import { project } from "#/calls/project.ts";
import type { CallRecord } from "#/calls/record.ts";
import { loadCall } from "#/calls/store.ts";
import { readPage } from "#/db/page.ts";
import { together } from "#/db/transaction.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { costsOfCall } from "#/engines/store.ts";
import { currentSections, providerResult } from "#/evaluation/current.ts";
import { providerRunsOf } from "#/evaluation/provider-run-store.ts";
import { currentRun, loadRuns } from "#/evaluation/run-store.ts";
import { showRun } from "#/evaluation/run.ts";
import { Conflict, Malformed, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { pageOf } from "#/kernel/page.ts";
import { withSentiment } from "#/metrics/sentiment.ts";

import { providerCosts, totalCost } from "./costs.ts";
import type { StepRow } from "./dossier.ts";
import { loadMetrics } from "./metric-store.ts";
import type { PipelineData } from "./run.ts";
import { showStep, showSteps } from "./show.ts";
import * as steps from "./step-store.ts";
import { loadSteps } from "./store.ts";

export type PipelineRouteDeps = {
  readonly db: Db;
  readonly ids: Ids;
  readonly enqueueCalls: (tx: Tx, calls: readonly PipelineData[]) => Promise<void>;
};

/** What happens between the end of a call and its results, and doing parts of it again, under /v1. */
export function pipelineHandlers({
  db,
  ids,
  enqueueCalls,
  isOn,
}: PipelineRouteDeps & { readonly isOn: boolean }): Handlers<typeof pipelineRoutes> {
  return {
    async getCallSteps({ tenant, params }) {
      return db.inTransaction([tenant], (tx) => stepsOf(tx, tenant, params.id, isOn));
    },

    async retryCallStep({ tenant, actor, params: { id, step } }) {
      return db.inTransaction([tenant], async (tx) => {
        const callId = await callIdOf(tx, tenant, id);
        const row = (await loadSteps(tx, tenant, callId)).find((one) => one.row.step === step)?.row;
        if (!row || step === "settle") throw new Conflict(`Nothing of ${step} can be done again`);
        if (row.state === "succeeded")
          throw new Conflict(`${step} has succeeded: POST a re-run of the analysis instead`);
        if (row.state === "running") throw new Conflict(`${step} is being worked at`);
        await steps.resetStep(tx, tenant, callId, step);
        await enqueueCalls(tx, [{ tenantId: tenant, callId }]);
        const subject = toPublicId("call", callId);
        const reset = (await loadSteps(tx, tenant, callId)).find((one) => one.row.step === step)?.row ?? row;
        const sides = { before: stateOf(row), after: stateOf(reset) };
        await recordAudit(tx, ids, { tenant, actor, action: "step.retried", subject, ...sides, detail: { step } });
        return stepsOf(tx, tenant, callId, isOn);
      });
    },

    async getCallAnalysis({ tenant, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const callId = await callIdOf(tx, tenant, params.id);
        const run = await currentRun(tx, tenant, callId);
        if (!run) throw new NotFound("Analysis");
        const told = (await providerRunsOf(tx, [{ tenantId: tenant, callId }])).get(callId);
        const ids = [await steps.pipelineRunId(tx, tenant, callId), told?.id];
        const others = await loadRuns(
          tx,
          tenant,
          ids.flatMap((one) => one ?? []),
        );
        const [ours = null, provider = null] = ids.map((one) => others.find((other) => other.id === one));
        return {
          ...showRun(run),
          provider: provider && providerResult(provider.id, provider),
          current: currentSections([run, ours, provider]),
        };
      });
    },

    async getCallMetrics({ tenant, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const id = await callIdOf(tx, tenant, params.id);
        const [sets, run] = await together([loadMetrics(tx, tenant, id), currentRun(tx, tenant, id)]);
        return { data: withSentiment(sets, run?.sentiment ?? null) };
      });
    },

    async getCallCosts({ tenant, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const { id, state } = await callOf(tx, tenant, params.id);
        const ours = await costsOfCall(tx, tenant, id);
        return { data: [...providerCosts(state), ...ours], total: totalCost(state, ours) };
      });
    },

    async listSteps({ tenant, query }) {
      return db.inTransaction([tenant], async (tx) => {
        const before = query.cursor === undefined ? null : keyIn(query.cursor);
        const filter = filterOf(query);
        const found = await readPage(tx, query, before, (probe, page) =>
          steps.listStepKeys(probe, tenant, filter, page),
        );
        const page = pageOf(
          found,
          query.limit,
          (key) => key,
          (key) => `${toPublicId("call", key.call_id)}.${key.step}`,
        );
        const rows = new Map<string, Awaited<ReturnType<typeof loadSteps>>>();
        for (const { call_id: callId } of page.data) {
          // oxlint-disable-next-line no-await-in-loop -- One statement after the other on one connection.
          if (!rows.has(callId)) rows.set(callId, await loadSteps(tx, tenant, callId));
        }
        return {
          ...page,
          data: page.data.flatMap(({ call_id: callId, step }) => {
            const one = rows.get(callId)?.find(({ row }) => row.step === step);
            return one ? [{ ...showStep(one.row), call_id: toPublicId("call", callId) }] : [];
          }),
        };
      });
    },

    async retrySteps({ tenant, actor, body }) {
      return db.inTransaction([tenant], async (tx) => {
        const filter = filterOf(body);
        const found = await steps.callsWithSteps(tx, tenant, filter, body.limit + 1);
        const chosen = found.slice(0, body.limit);
        const answer = {
          calls: chosen.length,
          steps: chosen.reduce((sum, { count }) => sum + count, 0),
          is_more: found.length > body.limit,
        };
        if (body.dry_run || chosen.length === 0) return answer;
        const callIds = chosen.map((one) => one.call_id);
        const again = await steps.resetSteps(tx, tenant, callIds, filter);
        await enqueueCalls(
          tx,
          again.map((callId) => ({ tenantId: tenant, callId })),
        );
        const before = { state: body.state, step: body.step ?? null, reason: body.reason ?? null };
        const subject = toPublicId("tenant", tenant);
        await recordAudit(tx, ids, { tenant, actor, action: "steps.retried", subject, before, after: answer });
        return answer;
      });
    },
  };
}

/** How a step stands, without what it says of the call. */
function stateOf({ state, reason }: StepRow) {
  return { state, reason };
}

async function stepsOf(tx: Tx, tenant: string, id: string, isOn: boolean) {
  const call = await callOf(tx, tenant, id);
  const rows = await loadSteps(tx, tenant, call.id);
  return showSteps(
    call.id,
    await steps.findPipeline(tx, tenant, call.id),
    rows.map(({ row }) => row),
    { seen: project(call.state), isOn },
  );
}

async function callIdOf(tx: Tx, tenant: string, id: string): Promise<string> {
  return (await callOf(tx, tenant, id)).id;
}

/** The call, or the one it turned out to be. */
async function callOf(tx: Tx, tenant: string, id: string): Promise<CallRecord> {
  const call = await loadCall(tx, tenant, id);
  if (!call) throw new NotFound("Call");
  return call;
}

type Asked = {
  readonly state: string;
  readonly step?: string | undefined;
  readonly reason?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
};

function filterOf({ state, step, reason, since, until }: Asked): steps.StepFilter {
  return {
    state,
    step: step ?? null,
    reason: reason ?? null,
    since: since === undefined ? null : new Date(since),
    until: until === undefined ? null : new Date(until),
  };
}

/** `call_….score` → what it names. */
function keyIn(cursor: string): { callId: string; step: string } {
  const [call = "", step = ""] = cursor.split(".");
  const callId = fromPublicId("call", call);
  if (!callId || !StepName.safeParse(step).success) throw new Malformed("The cursor is not one of ours");
  return { callId, step };
}
