import type { CreateReview, ReviewState } from "@aftercall/contract/analysis/review.ts";
import type { CriterionResult, Evaluation, Verdict } from "@aftercall/contract/analysis/run.ts";
import type { Actor } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import { beforeAll, describe, expect, test } from "vitest";
import type { z } from "zod";

import type { Change } from "#/calls/change.ts";
import { nothingKnown } from "#/calls/state.ts";
import { storedState } from "#/calls/stored-state.ts";
import type { Db } from "#/db/transaction.ts";
import { systemClock as clock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";

import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { trainingPlan } from "./default-plans.ts";
import { reviewHandlers } from "./review-routes.ts";
import { insertRun } from "./run-store.ts";

const ids = createIds(clock);
const actor: Actor = { kind: "user", id: "coach", role: "member" };
let db: Db;
beforeAll(async () => {
  ({ db } = await testDatabase());
});

const result = (id: string, verdict: Verdict, points: number | null, max = 1, weight = 1): CriterionResult => ({
  criterion_id: id,
  name: id,
  verdict,
  unknown_reason: verdict === "unknown" ? "needs_llm" : null,
  points,
  max_points: max,
  weight,
  auto_fail: false,
  rationale: null,
  missing: null,
  evidence: [],
  confidence: null,
  checks: [],
});

const scorecard: Evaluation = {
  result: "fail",
  score: 50,
  coverage: 0.6667,
  results: [result("greeting", "met", 1), result("closing", "not_met", 0), result("empathy", "unknown", null, 4)],
  needs_review: false,
  flags: [],
};

async function scene(evaluation: Evaluation | null = scorecard) {
  const tenant = await makeTenant(db);
  const changes: Change[] = [];
  const handlers = reviewHandlers({
    db,
    ids,
    clock,
    react: async (_tx, seen) => {
      changes.push(...seen);
      return [];
    },
  });
  const addRun = (): Promise<string> =>
    db.inTransaction([tenant], async (tx) => {
      const [callId, id] = [ids.next(), ids.next()];
      await tx.run(
        "insert into calls (tenant_id, id, provider, provider_call_id, status, state) values ($1, $2, 'x', $3, 'ended', $4)",
        [tenant, callId, callId, JSON.stringify(storedState(nothingKnown))],
      );
      const analysed = {
        transcriptId: null,
        inputHash: Buffer.from(id),
        sections: { evaluation: { state: "succeeded", reason: null, detail: null, engine: null } },
        summary: null,
        fields: [],
        trackers: [],
        topics: [],
        sentiment: null,
        evaluation,
        coaching: null,
        usage: null,
        cost: [],
      } as const;
      await insertRun(tx, {
        tenantId: tenant,
        id,
        callId,
        plan: trainingPlan,
        trigger: "training",
        isCurrent: true,
        analysed,
      });
      return id;
    });
  const id = await addRun();
  const as = { tenant, actor, query: undefined };
  const override = (criterion_id: string, verdict: Verdict, points?: number, run = id) =>
    handlers.overrideCriterion({
      ...as,
      params: { id: run },
      body: { criterion_id, verdict, points, reason: "incorrect_score", comment: "נאמר בתור השני" },
    });
  const review = (state: ReviewState, run = id) => {
    const body: z.output<typeof CreateReview> = { state, comment: "" };
    return handlers.reviewAnalysisRun({ ...as, params: { id: run }, body });
  };
  return {
    addRun,
    changes,
    override,
    review,
    scores: async () => {
      const { call_id } = await handlers.getAnalysisRun({ ...as, params: { id }, body: undefined });
      const asked = { ...as, params: { id: fromPublicId("call", call_id) ?? "" }, body: undefined };
      return (await handlers.listCallScores(asked)).data;
    },
    get: () => handlers.getAnalysisRun({ ...as, params: { id }, body: undefined }),
    agreement: async () =>
      (
        await handlers.getAgreement({
          tenant,
          actor,
          params: { id: trainingPlan.id },
          query: { version: undefined },
          body: undefined,
        })
      ).data,
  };
}

describe("scores for other tools", () => {
  const told = async ({ scores }: Awaited<ReturnType<typeof scene>>) =>
    (await scores()).map(({ name, value, data_type, source, comment }) => [name, value, data_type, source, comment]);

  test("are those that hold; what is unknown is a word and no number", async () => {
    const one = await scene();
    expect(await told(one)).toEqual([
      ["score", 50, "numeric", "eval", null],
      ["coverage", 0.6667, "numeric", "eval", null],
      ["result", "fail", "categorical", "eval", null],
      ["criterion.greeting", "met", "categorical", "eval", null],
      ["criterion.greeting.points", 1, "numeric", "eval", null],
      ["criterion.closing", "not_met", "categorical", "eval", null],
      ["criterion.closing.points", 0, "numeric", "eval", null],
      ["criterion.empathy", "unknown", "categorical", "eval", null],
    ]);
    const [first] = await one.scores();
    expect(first?.config_id).toBe(`${toPublicId("analysis_plan", trainingPlan.id)}.${trainingPlan.version}`);
  });

  test("what a person changed is theirs, with their words, and so is the score that comes of it", async () => {
    const one = await scene();
    await one.override("closing", "met");
    const scores = await told(one);
    expect(scores).toContainEqual(["score", 100, "numeric", "annotation", null]);
    expect(scores).toContainEqual(["criterion.closing", "met", "categorical", "annotation", "נאמר בתור השני"]);
    expect(scores).toContainEqual(["criterion.greeting", "met", "categorical", "eval", null]);
  });

  test("a call without a scorecard has none", async () => {
    expect(await (await scene(null)).scores()).toEqual([]);
  });
});

describe("a changed verdict", () => {
  test("makes another score, and leaves the machine's where it is", async () => {
    const one = await scene();
    const changed = await one.override("closing", "met");
    expect(changed.evaluation).toEqual(scorecard);
    expect(changed.effective).toMatchObject({ score: 100, coverage: 0.6667, result: "pass" });
    expect(changed.overrides).toMatchObject([
      { criterion_id: "closing", verdict: "met", actor: "user:coach", comment: "נאמר בתור השני" },
    ]);
    expect(one.changes).toMatchObject([
      { type: "evaluation.overridden", machine: "not_met", effective: { score: 100 } },
    ]);
  });

  test("of what was unknown widens the coverage; the last word on a criterion counts", async () => {
    const one = await scene();
    await one.override("empathy", "partial", 1);
    expect((await one.get()).effective).toMatchObject({ score: 33.33, coverage: 1, result: "fail" });
    await one.override("empathy", "met");
    expect((await one.get()).effective).toMatchObject({ score: 83.33, coverage: 1, result: "pass" });
    await one.override("empathy", "unknown");
    expect((await one.get()).effective).toMatchObject({ score: 50, coverage: 0.6667 });
  });

  test("needs a criterion of the run, and no more points than it has", async () => {
    const one = await scene();
    await expect(one.override("charm", "met")).rejects.toMatchObject({ errors: [{ pointer: "/criterion_id" }] });
    await expect(one.override("closing", "met", 2)).rejects.toMatchObject({ errors: [{ pointer: "/points" }] });
    await expect((await scene(null)).override("closing", "met")).rejects.toMatchObject({ status: 422 });
  });

  test("two people at once: both words are kept, and the score is of both", async () => {
    const one = await scene();
    await Promise.all([one.override("closing", "met"), one.override("empathy", "met")]);
    expect(await one.get()).toMatchObject({ overrides: { length: 2 }, effective: { score: 100, coverage: 1 } });
  });
});

describe("a review", () => {
  test("goes from the draft to its end, and says who did what", async () => {
    const one = await scene();
    for (const state of ["draft", "submitted", "disputed", "resolved"] as const) await one.review(state);
    expect((await one.get()).reviews.map(({ state, actor: by }) => [state, by])).toEqual([
      ["draft", "user:coach"],
      ["submitted", "user:coach"],
      ["disputed", "user:coach"],
      ["resolved", "user:coach"],
    ]);
  });

  test("takes no step that does not follow, and says which do", async () => {
    const one = await scene();
    await one.review("acknowledged");
    await expect(one.review("resolved")).rejects.toThrow(
      "acknowledged cannot become resolved; it may become disputed, voided",
    );
    await expect((await scene(null)).review("submitted")).rejects.toMatchObject({ status: 409 });
  });
});

test("agreement is of what people looked at: who changed nothing agrees, and what is voided does not count", async () => {
  const one = await scene();
  const runs = await Promise.all(Array.from({ length: 32 }, () => one.addRun()));
  for (const [index, run] of runs.entries()) {
    if (index < 8) await one.override("closing", "met", undefined, run);
    await one.review("acknowledged", run);
  }
  for (const run of runs.slice(30)) await one.review("voided", run);
  expect(await one.agreement()).toEqual([
    { criterion_id: "greeting", name: "greeting", count: 30, agreement: 1, kappa: null, hint: null },
    {
      criterion_id: "closing",
      name: "closing",
      count: 30,
      agreement: 0.7333,
      kappa: 0,
      hint: expect.stringContaining("description"),
    },
  ]);
});
