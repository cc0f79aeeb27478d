import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { SectionName } from "@aftercall/contract/analysis/run.ts";
import type { Actor } from "@aftercall/contract/api.ts";
import { fromPublicId as fromPublic, toPublicId } from "@aftercall/contract/id.ts";
import { beforeAll, describe, expect, test } from "vitest";

import type { Db } from "#/db/transaction.ts";
import { systemClock as clock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { silentLog } from "#/kernel/log.ts";
import { Retry } from "#/models/failure.ts";

import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { defaultPlan } from "./default-plans.ts";
import { jobHandlers } from "./job-routes.ts";
import { planHandlers } from "./plan-routes.ts";
import { promotionHandlers } from "./promotion-routes.ts";
import { runJob, type Analyse, type JobContext } from "./run-job.ts";
import { insertRun, listRuns } from "./run-store.ts";
import type { Analysed } from "./run.ts";

const ids = createIds(clock);
let db: Db;
beforeAll(async () => {
  ({ db } = await testDatabase());
});

const analysed = (callId: string, text: string, transcriptId: string | null = null): Analysed => ({
  transcriptId,
  inputHash: Buffer.from(`${callId} ${text}`),
  sections: { summary: { state: "succeeded", reason: null, detail: null, engine: null } },
  summary: { title: null, text, language: "en", bullets: [], next_steps: [], method: "extractive", evidence: [] },
  fields: [],
  trackers: [],
  topics: [],
  sentiment: null,
  evaluation: null,
  coaching: null,
  usage: null,
  cost: [],
});

/** A tenant with some calls that are over, each with a transcript and a run that it shows, and a published plan. */
async function scene(callCount: number, { withoutTranscript = 0 } = {}) {
  const tenant = await makeTenant(db);
  const actor: Actor = { kind: "user", id: "boss", role: "admin" };
  const calls: string[] = [];
  await db.inTransaction([tenant], async (tx) => {
    for (let n = 0; n < callCount + withoutTranscript; n++) {
      const [callId, eventId, transcriptId] = [ids.next(), ids.next(), ids.next()];
      calls.push(callId);
      const said = n < callCount ? [eventId, 0] : null;
      await tx.run(
        `insert into calls (tenant_id, id, provider, provider_call_id, status, outcome, state)
         values ($1, $2, 'vapi', $3, 'ended', 'completed', $4)`,
        [
          tenant,
          callId,
          callId,
          JSON.stringify({
            stamps: [[5, 0, 0, "x"]],
            facts: {},
            progress: null,
            final: null,
            final_unless_sip: null,
            transcript: said,
            is_reported: true,
            awaits_report: false,
          }),
        ],
      );
      if (!said) continue;
      await tx.run(
        `insert into transcripts (tenant_id, id, call_id, event_id, origin, text, turns) values ($1, $2, $3, $4, 'vapi', 'Agent: hello there', '[]')`,
        [tenant, transcriptId, callId, eventId],
      );
      const first = analysed(callId, "before");
      await insertRun(tx, {
        tenantId: tenant,
        id: ids.next(),
        callId,
        plan: defaultPlan,
        trigger: "pipeline",
        isCurrent: true,
        analysed: first,
      });
    }
  });
  const queued: { jobId: string; run: number }[] = [];
  const enqueue: JobContext["enqueue"] = async (_tx, { jobId, run }) => void queued.push({ jobId, run });
  const asked: string[] = [];
  const state: { analyse: Analyse } = { analyse: async ({ callId }) => analysed(callId, "after") };
  const context: JobContext = {
    db,
    clock,
    ids,
    log: silentLog(),
    enqueue,
    analyse: (given, signal) => {
      asked.push(given.callId);
      return state.analyse(given, signal);
    },
  };
  const as = { tenant, actor };
  const handlers = {
    ...planHandlers({ db, ids, test: async () => null }),
    ...jobHandlers({ db, ids, enqueueJob: enqueue, planFor: async () => defaultPlan, languageModel: async () => null }),
    ...promotionHandlers({ db, ids, findLater: async () => {} }),
  };
  const none = { query: undefined, params: undefined, body: undefined } as const;
  const made = await handlers.createAnalysisPlan({
    ...as,
    ...none,
    body: { name: "New", definition: PlanDefinition.parse({}) },
  });
  const planId = uuidOf(made.id);
  await handlers.publishAnalysisPlan({ ...as, ...none, params: { id: planId } });
  const create = (changes: object = {}) =>
    handlers.createAnalysisJob({
      ...as,
      ...none,
      body: {
        plan_id: planId,
        version: undefined,
        filter: {},
        sections: [...SectionName.options],
        rate_per_minute: 6000,
        concurrency: 4,
        force: false,
        dry_run: false,
        ...changes,
      },
    });
  return {
    tenant,
    calls,
    queued,
    asked,
    state,
    create,
    context,
    run: (jobId: string) => runJob(context, { tenantId: tenant, jobId: uuidOf(jobId) }, new AbortController().signal),
    job: (id: string) => handlers.getAnalysisJob({ ...as, ...none, params: { id: uuidOf(id) } }),
    pause: (id: string) => handlers.pauseAnalysisJob({ ...as, ...none, params: { id: uuidOf(id) } }),
    resume: (id: string) => handlers.resumeAnalysisJob({ ...as, ...none, params: { id: uuidOf(id) } }),
    cancel: (id: string) => handlers.cancelAnalysisJob({ ...as, ...none, params: { id: uuidOf(id) } }),
    compare: (id: string) => handlers.compareAnalysisJob({ ...as, ...none, params: { id: uuidOf(id) } }),
    promote: (id: string) => handlers.promoteAnalysisJob({ ...as, ...none, params: { id: uuidOf(id) } }),
    revert: (id: string) => handlers.revertPromotion({ ...as, ...none, params: { id: uuidOf(id) } }),
    preview: () =>
      handlers.previewAnalysisPlan({
        ...as,
        ...none,
        params: { id: planId },
        body: { call_ids: calls.slice(0, 2), sections: [...SectionName.options] },
      }),
    rerun: (callId: string) =>
      handlers.rerunAnalysis({
        ...as,
        ...none,
        params: { id: callId },
        body: { plan_id: undefined, version: undefined, sections: ["summary"], force: true },
      }),
    shown: async () => {
      const runs = await db.inTransaction([tenant], (tx) =>
        Promise.all(calls.map((id) => listRuns(tx, tenant, id, null, 10))),
      );
      return runs.map((rows) => rows.find(({ isCurrent }) => isCurrent)?.summary?.text ?? null);
    },
    runs: async () => {
      const runs = await db.inTransaction([tenant], (tx) =>
        Promise.all(calls.map((id) => listRuns(tx, tenant, id, null, 10))),
      );
      return runs.flat().map(({ trigger }) => trigger);
    },
  };
}

function uuidOf(publicId: string): string {
  const kind = publicId.startsWith("pln")
    ? "analysis_plan"
    : publicId.startsWith("prm")
      ? "analysis_promotion"
      : "analysis_job";
  const uuid = fromPublic(kind, publicId);
  if (!uuid) throw new Error(publicId);
  return uuid;
}

describe("a job of re-runs", () => {
  test("counts first, then analyses each call once; what calls show changes when it is promoted, and back", async () => {
    const one = await scene(5, { withoutTranscript: 2 });
    const counted = await one.create({ dry_run: true });
    expect(counted).toMatchObject({
      count: 7,
      identical: 0,
      without_transcript: 2,
      job: null,
      estimate: { engine: "builtin" },
    });
    expect(one.queued).toEqual([]);

    const { job } = await one.create();
    if (!job) throw new Error("no job");
    await one.run(job.id);
    expect(await one.job(job.id)).toMatchObject({
      state: "done",
      counts: { total: 7, done: 5, skipped: 2, pending: 0 },
    });
    expect(await one.shown()).toEqual(["before", "before", "before", "before", "before", null, null]);
    expect(await one.compare(job.id)).toMatchObject({ compared: 5, unchanged: 0, changed: { length: 5 } });

    const promotion = await one.promote(job.id);
    expect(promotion).toMatchObject({ calls: 5, reverted_at: null });
    expect(await one.shown()).toEqual(["after", "after", "after", "after", "after", null, null]);
    await one.revert(promotion.id);
    expect(await one.shown()).toEqual(["before", "before", "before", "before", "before", null, null]);
    await expect(one.revert(promotion.id)).rejects.toThrow("reverted before");
  });

  test("an attempt that fails is made again; what gives up is listed with its reason, and the others go on", async () => {
    const one = await scene(3);
    const [bad] = one.calls;
    one.state.analyse = async ({ callId }) => {
      if (callId === bad) throw new Retry(null, "engine_unavailable", { detail: "The model is away." });
      return analysed(callId, "after");
    };
    const { job } = await one.create();
    const stop = new AbortController();
    const running = runJob(one.context, { tenantId: one.tenant, jobId: uuidOf(job?.id ?? "") }, stop.signal);
    await waitFor(async () => (await one.job(job?.id ?? "")).counts.done === 2 && one.asked.includes(bad ?? ""));
    stop.abort();
    await running;
    expect(await one.job(job?.id ?? "")).toMatchObject({ state: "running", counts: { done: 2, pending: 1 } });
    expect(one.asked.filter((id) => id === bad)).toHaveLength(1);
  });

  test("a killed worker's job is taken up by another, and no call is analysed twice", async () => {
    const one = await scene(6);
    const { job } = await one.create({ concurrency: 1 });
    const killed = new AbortController();
    one.state.analyse = async ({ callId }) => {
      if (one.asked.length === 3) killed.abort();
      return analysed(callId, "after");
    };
    await runJob(one.context, { tenantId: one.tenant, jobId: uuidOf(job?.id ?? "") }, killed.signal);
    const before = await one.job(job?.id ?? "");
    expect(before.counts.done).toBe(3);
    one.state.analyse = async ({ callId }) => analysed(callId, "after");
    await Promise.all([one.run(job?.id ?? ""), one.run(job?.id ?? "")]);
    expect(await one.job(job?.id ?? "")).toMatchObject({ state: "done", counts: { done: 6 } });
    expect((await one.runs()).filter((trigger) => trigger === "bulk")).toHaveLength(6);
  });

  test("is held, goes on, and ends when it is canceled; what it made stays", async () => {
    const one = await scene(3);
    const { job } = await one.create();
    const id = job?.id ?? "";
    await one.pause(id);
    await one.run(id);
    expect(one.asked).toEqual([]);
    expect(await one.resume(id)).toMatchObject({ state: "running" });
    expect(one.queued.map(({ run }) => run)).toEqual([0, 1]);
    await one.cancel(id);
    await one.run(id);
    expect(one.asked).toEqual([]);
    await expect(one.resume(id)).rejects.toThrow("not paused");
  });

  test("nothing is made where nothing would come out otherwise", async () => {
    const one = await scene(2);
    one.state.analyse = async ({ callId }) => analysed(callId, "before");
    const { job } = await one.create();
    await one.run(job?.id ?? "");
    expect(await one.job(job?.id ?? "")).toMatchObject({ counts: { identical: 2, done: 0 } });
    expect(await one.runs()).toEqual(["pipeline", "pipeline"]);
  });
});

test("a preview never shows at the calls, and cannot be promoted", async () => {
  const one = await scene(3);
  const job = await one.preview();
  await one.run(job.id);
  expect(await one.job(job.id)).toMatchObject({ kind: "preview", state: "done", counts: { done: 2 } });
  expect(await one.shown()).toEqual(["before", "before", "before"]);
  await expect(one.promote(job.id)).rejects.toThrow("preview");
});

test("one call is analysed again by the plan that is for it", async () => {
  const one = await scene(1);
  const [callId = ""] = one.calls;
  const job = await one.rerun(callId);
  expect(job).toMatchObject({
    kind: "rerun",
    sections: ["summary"],
    plan: { id: toPublicId("analysis_plan", defaultPlan.id) },
  });
  await one.run(job.id);
  expect(await one.runs()).toEqual(["rerun", "pipeline"]);
});

async function waitFor(isThere: () => Promise<boolean>): Promise<void> {
  while (!(await isThere())) await clock.sleep(5);
}
