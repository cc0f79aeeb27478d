import type { Evaluation } from "@aftercall/contract/analysis/run.ts";
import { beforeAll, describe, expect, test } from "vitest";

import type { Change } from "#/calls/change.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import type { BatchContext } from "#/inbox/store-batch.ts";
import { tell } from "#/inbox/tell.ts";
import { createIds } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import { silentLog } from "#/kernel/log.ts";
import { WonderfulSetup } from "#/providers/wonderful/setup.ts";
import { readTranscript } from "#/providers/wonderful/transcript.ts";

import { createFakeClock } from "../../test/harness/clock.ts";
import { testDatabase } from "../../test/harness/database.ts";
import { createRandom } from "../../test/harness/random.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import type { TranscriptAnswer } from "./fetch-transcript.ts";
import { giveFeedback, type FeedbackDeps, type FeedbackJob, type Graded } from "./give-feedback.ts";
import { claimSessions, insertAssignment, insertSession, loadAssignment, loadSession } from "./store.ts";
import { beginAgain, lockWork } from "./work-store.ts";

let db: Db;
beforeAll(async () => {
  ({ db } = await testDatabase());
});

const { api } = WonderfulSetup.parse({});
const conversation = readTranscript(
  [{ speaker: "agent", text: "Hello, this is Dana.", start_time: 1, end_time: 2 }],
  api,
);
const ready: TranscriptAnswer = conversation ? { kind: "ready", conversation } : notReady();
function notReady(): TranscriptAnswer {
  return { kind: "not_ready", detail: "The transcript is empty so far." };
}
const failing: TranscriptAnswer = {
  kind: "retry",
  reason: "transcript_unavailable",
  detail: "It answered 500.",
  afterMs: null,
};

/** A claimed session of a tenant of its own, and a worker whose surroundings the test decides. */
async function scene() {
  const clock = createFakeClock(Date.now());
  const ids = createIds(clock);
  const tenantId = await makeTenant(db);
  const [sessionId, assignmentId, sourceId] = [ids.next(), ids.next(), ids.next()];
  const changes: Change[] = [];
  const queued: { job: FeedbackJob; afterMs: number }[] = [];
  const state = { transcripts: [] as TranscriptAnswer[], fetched: 0, graded: 0, saved: 0, result: grade(84) };
  const context: BatchContext = {
    newId: () => ids.next(),
    now: () => clock.now(),
    reread: async () => null,
    settling: "at_once",
    hooks: {
      react: async (_tx, seen) => {
        changes.push(...seen);
        return [];
      },
      resolveCampaigns: async () => new Map(),
      claimSessions: async () => [],
    },
  };
  await db.inTransaction([tenantId], async (tx) => {
    await insertAssignment(tx, { tenantId, id: assignmentId, title: "Objections", userId: null });
    await insertSession(tx, { tenantId, id: sessionId, assignmentId, userId: null, feedback: null });
    await claimSessions(tx, [{ tenantId, sessionId, communicationId: `comm-${sessionId}`, sourceId }]);
  });

  function grade(score: number | null, version = 1): Graded {
    const evaluation: Evaluation = {
      result: "pass",
      score,
      coverage: 0.9,
      results: [],
      needs_review: false,
      flags: [],
    };
    const plan = { id: "00000000-0000-8000-8000-000000000002", version };
    return { ok: true, plan, evaluation, coaching: null, engine: "builtin", save: saveRun };
  }

  async function saveRun(tx: Tx): Promise<string> {
    state.saved++;
    const id = ids.next();
    const [call] = await tx.rows<{ id: string }>("select id from calls where tenant_id = $1 limit 1", [tenantId]);
    await tx.run(
      `insert into analysis_runs (tenant_id, id, call_id, plan_id, plan_version, plan_name, trigger, status, input_hash, sections)
       values ($1, $2, $3, $2, 1, 'p', 'training', 'succeeded', '', '{}')`,
      [tenantId, id, call?.id],
    );
    return id;
  }

  const deps: FeedbackDeps = {
    db,
    clock,
    log: silentLog(),
    random: createRandom(1),
    fetchTranscript: async () => state.transcripts[state.fetched++] ?? ready,
    async tellTranscript(tx, told) {
      const { applied, eventId, afterCommit } = await tell(tx, context, {
        tenantId,
        provider: "wonderful",
        aliases: [{ kind: "communication_id", value: told.communicationId }],
        facts: {},
        heard: { status: "ended", outcome: "completed" },
        userId: null,
        transcript: told.conversation.transcript,
      });
      return { eventId, callId: applied.record.id, afterCommit };
    },
    async grade() {
      state.graded++;
      return state.result;
    },
    react: context.hooks.react,
    async enqueue(_tx, job, afterMs) {
      queued.push({ job, afterMs });
    },
  };
  const job = (attempt = 1, work = 1): FeedbackJob => ({ tenantId, sessionId, work, attempt });
  return {
    deps,
    state,
    grade,
    clock,
    queued,
    tenantId,
    sessionId,
    told: () => changes.filter(({ type }) => type === "training.ready"),
    run: (attempt = 1, work = 1) => giveFeedback(deps, job(attempt, work), new AbortController().signal),
    session: async () => {
      const row = await db.inTransaction([tenantId], (tx) => loadSession(tx, tenantId, sessionId));
      if (!row) throw new Error("no session");
      return row;
    },
    assignment: () => db.inTransaction([tenantId], (tx) => loadAssignment(tx, tenantId, assignmentId)),
    again: () =>
      db.inTransaction([tenantId], async (tx) => {
        const work = await lockWork(tx, tenantId, sessionId);
        return work ? beginAgain(tx, work) : 0;
      }),
  };
}

describe("an attempt at feedback", () => {
  test("commits feedback, session, assignment and message together", async () => {
    const one = await scene();
    await one.run();
    const session = await one.session();
    expect(session).toMatchObject({
      state: "ready",
      feedback: { score: 84, coverage: 0.9, engine: "builtin" },
      reason: null,
    });
    expect(session.run_id).not.toBeNull();
    expect(await one.assignment()).toMatchObject({ status: "completed", completed_at: expect.any(Date) });
    expect(one.told()).toMatchObject([
      { sessionId: one.sessionId, session: { state: "ready", feedback: { score: 84 } } },
    ]);
  });

  test("fifty copies of the job come to one result and one message", async () => {
    const one = await scene();
    await Promise.all(Array.from({ length: 50 }, () => one.run()));
    expect(one.state.saved).toBe(1);
    expect(one.told()).toHaveLength(1);
    const [{ runs } = { runs: -1 }] = await db.inTransaction([one.tenantId], (tx) =>
      tx.rows<{ runs: number }>("select count(*)::int as runs from training_runs where tenant_id = $1", [one.tenantId]),
    );
    expect(runs).toBe(1);
  });

  test("what breaks before the commit leaves nothing behind, and the job finishes it later", async () => {
    const one = await scene();
    const { react } = one.deps;
    const broken = { ...one.deps, react: () => Promise.reject(new Error("killed")) };
    const job = { tenantId: one.tenantId, sessionId: one.sessionId, work: 1, attempt: 1 };
    await expect(giveFeedback(broken, job, new AbortController().signal)).rejects.toThrow("killed");
    expect([(await one.session()).state, (await one.assignment())?.status]).toEqual(["requested", "open"]);
    await giveFeedback({ ...one.deps, react }, job, new AbortController().signal);
    expect([(await one.session()).state, (await one.assignment())?.status]).toEqual(["ready", "completed"]);
    expect(one.state.fetched).toBe(1);
    expect(one.told()).toHaveLength(1);
  });

  test("no criterion that could be decided: no score, and the session says why", async () => {
    const one = await scene();
    one.state.result = one.grade(null);
    await one.run();
    expect(await one.session()).toMatchObject({ state: "ready", feedback: { score: null }, reason: "no_rubric" });
  });
});

describe("a transcript that is not written yet", () => {
  test("is asked for again and again at growing distances, which counts as no failure", async () => {
    const one = await scene();
    one.state.transcripts = [notReady(), notReady(), notReady(), ready];
    for (const attempt of [1, 2, 3]) await one.run(attempt);
    expect(await one.session()).toMatchObject({ state: "requested", reason: "transcript_not_ready", attempt: 4 });
    const waits = one.queued.map(({ afterMs }) => afterMs);
    for (const [index, ms] of waits.entries()) {
      expect(ms).toBeGreaterThanOrEqual(800 * 2 ** index);
      expect(ms).toBeLessThanOrEqual(1_200 * 2 ** index);
    }
    await one.run(4);
    expect((await one.session()).state).toBe("ready");
  });

  test("is given up after the limit, with what to look at", async () => {
    const one = await scene();
    one.state.transcripts = [notReady(), notReady()];
    await one.run();
    await one.clock.advance(limits.transcriptWaitMs + 1_000);
    await one.run(2);
    expect(await one.session()).toMatchObject({
      state: "failed",
      reason: "transcript_missing",
      detail: expect.stringContaining("check api.transcript_path"),
    });
  });
});

describe("a failure", () => {
  test("is tried again by itself, and not for ever", async () => {
    const one = await scene();
    one.state.transcripts = Array.from({ length: 20 }, () => failing);
    for (let attempt = 1; attempt <= limits.feedbackFailuresMax; attempt++) await one.run(attempt);
    expect(await one.session()).toMatchObject({ state: "failed", reason: "transcript_unavailable" });
    expect(one.queued).toHaveLength(limits.feedbackFailuresMax - 1);
    expect((await one.session()).detail).toContain(`Given up after ${limits.feedbackFailuresMax} attempts`);
  });

  test("of the analysis does not fetch the transcript once more", async () => {
    const one = await scene();
    one.state.result = { ok: false, isFinal: false, reason: "engine_unavailable", detail: "429", afterMs: 60_000 };
    await one.run();
    expect(one.queued[0]?.afterMs).toBeGreaterThanOrEqual(60_000);
    one.state.result = one.grade(70);
    await one.run(2);
    expect([one.state.fetched, one.state.graded, (await one.session()).state]).toEqual([1, 2, "ready"]);
  });

  test("that a person must mend ends the work at once", async () => {
    const one = await scene();
    one.state.transcripts = [{ kind: "give_up", reason: "transcript_refused", detail: "Set the key." }];
    await one.run();
    expect(await one.session()).toMatchObject({
      state: "failed",
      reason: "transcript_refused",
      detail: "Set the key.",
    });
    expect(one.queued).toEqual([]);
  });

  test("an attempt that was overtaken changes nothing", async () => {
    const one = await scene();
    one.state.transcripts = [failing];
    await one.run();
    await one.run(1);
    expect(one.state.fetched).toBe(1);
    expect(await one.session()).toMatchObject({ state: "requested", attempt: 2 });
  });
});

describe("making it anew", () => {
  test("shows the old feedback until the new one is there, and keeps both runs", async () => {
    const one = await scene();
    await one.run();
    const before = await one.session();
    expect(await one.again()).toBe(2);
    expect(await one.session()).toMatchObject({ state: "ready", is_regenerating: true, feedback: before.feedback });
    one.state.result = one.grade(50, 2);
    await one.run(1, 2);
    const after = await one.session();
    expect(after).toMatchObject({ state: "ready", is_regenerating: false, feedback: { score: 50 } });
    expect(after.run_id).not.toBe(before.run_id);
    expect([one.state.fetched, one.told().length]).toEqual([1, 2]);
  });

  test("that fails leaves the feedback that is there", async () => {
    const one = await scene();
    await one.run();
    await one.again();
    one.state.result = { ok: false, isFinal: true, reason: "invalid_output", detail: "No JSON.", afterMs: null };
    await one.run(1, 2);
    expect(await one.session()).toMatchObject({ state: "ready", feedback: { score: 84 }, reason: "invalid_output" });
  });
});
