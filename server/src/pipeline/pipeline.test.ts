import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { StepName, type StepState } from "@aftercall/contract/analysis/step.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import type { CallChange, CallResult } from "#/calls/change.ts";
import { toCall } from "#/calls/record.ts";
import { completion, honest, json, plainCall, testPlan, turnsOf } from "#/models/language/test-model.ts";

import type { Received, Reply } from "../../test/harness/receiver.ts";
import { pipelineHandlers } from "./routes.ts";
import { loadSteps } from "./store.ts";
import { Died, dyingDb, pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
beforeAll(async () => {
  setup = await pipelineSetup();
});
afterAll(() => setup.close());
afterEach(() => setup.model.answer({ status: 200 }));

type Ids = { readonly tenantId: string; readonly callId: string };

async function statesOf({ tenantId, callId }: Ids): Promise<Partial<Record<StepName, string>>> {
  const rows = await setup.db.inTransaction([tenantId], (tx) => loadSteps(tx, tenantId, callId));
  return Object.fromEntries(rows.map(({ row }) => [row.step, row.reason ? `${row.state}: ${row.reason}` : row.state]));
}

async function count(table: string, { tenantId, callId }: Ids): Promise<number> {
  const rows = await setup.db.inTransaction([tenantId], (tx) =>
    tx.rows<{ n: number }>(`select count(*)::int as n from ${table} where tenant_id = $1 and call_id = $2`, [
      tenantId,
      callId,
    ]),
  );
  return rows[0]?.n ?? -1;
}

function settled(changes: readonly { type: string }[]): CallChange | undefined {
  return changes.find((change): change is CallChange => change.type === "call.settled");
}

const hebrewCall = turnsOf(
  ["agent", "שלום, מדברת נועה, במה אפשר לעזור?"],
  ["customer", "היי, אני צריכה שיווק נכס בבית שאן."],
  ["agent", "בשמחה, אעביר את הפרטים לנציג."],
);

/** What a model answers that always does all it is asked for. */
function answerAll(request: Received): Reply {
  const body = request.body.toString();
  const wanted = Object.entries(honest).filter(
    ([name]) => body.includes(`\\"${name}\\"`) || body.includes(`"${name}"`),
  );
  return completion(Object.fromEntries(wanted));
}

describe("without a key", () => {
  test("a call gets numbers, a summary of its own sentences and fields, and is settled in one go", async () => {
    const bench = setup.bench();
    const ids = await setup.makeCall(await setup.makeTenant(), { turns: hebrewCall });
    await bench.run(ids, { mayAsk: false });
    expect(bench.told()).toEqual(["transcript.ready", "analysis.completed", "call.updated", "call.settled"]);
    expect(await statesOf(ids)).toEqual({
      fetch_recording: "skipped: no_recording",
      measure_audio: "skipped: no_recording",
      import_transcript: "succeeded",
      transcribe: "skipped: provider_transcript_present",
      measure_text: "succeeded",
      redact: "skipped: redaction_off",
      summarise: "succeeded",
      extract: "succeeded",
      track: "skipped: no_trackers",
      name_topics: "skipped: no_topics",
      rate_sentiment: "skipped: disabled_by_plan",
      score: "skipped: no_rubric",
      coach: "skipped: no_rubric",
      settle: "succeeded",
    });
    const change = settled(bench.changes);
    expect(change?.analysis).toMatchObject({ status: "succeeded", engine: { kind: "builtin" } });
    const call = change && toCall(change.after, []);
    expect(call).toMatchObject({ city: "בית שאן", service_category: "שיווק נכס", language: "he" });
    expect(call?.summary).toContain("שיווק נכס בבית שאן");
    expect(bench.bugs).toEqual([]);
  });

  test("what the provider states wins over what was found", async () => {
    const bench = setup.bench();
    const facts = { city: "חיפה", summary: "What the provider wrote." };
    const ids = await setup.makeCall(await setup.makeTenant(), { turns: hebrewCall, facts });
    await bench.run(ids);
    const change = settled(bench.changes);
    expect(change && toCall(change.after, [])).toMatchObject({ ...facts, service_category: "שיווק נכס" });
    expect(change?.analysis?.fields.find(({ name }) => name === "city")?.value).toBe("בית שאן");
  });

  test("a call without a word is settled all the same, and says why nothing came of it", async () => {
    const bench = setup.bench();
    const ids = await setup.makeCall(await setup.makeTenant());
    await bench.run(ids);
    expect(bench.told()).toEqual(["call.updated", "call.settled"]);
    const { analysis } = settled(bench.changes) ?? {};
    expect(analysis?.status).toBe("skipped");
    expect(analysis?.sections.summary).toMatchObject({ state: "skipped", reason: "no_transcript" });
    expect(analysis?.missing.every(({ reason, detail }) => reason !== null && detail)).toBe(true);
  });

  test.each([
    ["voicemail", "voicemail"],
    ["transferred", null],
  ] as const)("a call that ended as %s is settled; its summary is skipped with %s", async (outcome, reason) => {
    const bench = setup.bench();
    const ids = await setup.makeCall(await setup.makeTenant(), {
      turns: hebrewCall,
      heard: { status: "ended", outcome },
    });
    await bench.run(ids);
    expect(settled(bench.changes)?.analysis?.sections.summary?.reason).toBe(reason);
  });

  test("a plan's gates leave calls out, each with its reason", async () => {
    const cases = [
      [{ min_turns: 9 }, "too_few_turns"],
      [{ min_customer_words: 99 }, "too_short"],
      [{ languages: ["en"] }, "language_unsupported"],
      [{ sample_rate: 0 }, "sampled_out"],
    ] as const;
    for (const [gates, reason] of cases) {
      const tenantId = await setup.makeTenant();
      await setup.publish(tenantId, PlanDefinition.parse({ gates }));
      const bench = setup.bench();
      await bench.run(await setup.makeCall(tenantId, { turns: hebrewCall }));
      expect(settled(bench.changes)?.analysis?.sections.summary?.reason).toBe(reason);
    }
  });
});

describe("waiting", () => {
  test("a promised report is waited for, up to its limit, and then call.completed goes out without it", async () => {
    const bench = setup.bench();
    const ids = await setup.makeCall(await setup.makeTenant(), { awaitsReport: true });
    await bench.run(ids);
    expect(bench.told()).toEqual([]);
    expect(bench.later).toEqual([setup.clock.now() + 120_000]);
    await setup.clock.advance(120_000);
    await bench.run(ids);
    expect(bench.told()).toEqual(["call.updated", "call.settled"]);
  });

  test("a recording that nobody could transcribe holds nothing up", async () => {
    const bench = setup.bench();
    const ids = await setup.makeCall(await setup.makeTenant(), { facts: { awaits_recording: true } });
    await bench.run(ids);
    expect(await statesOf(ids)).toMatchObject({ fetch_recording: "blocked", transcribe: "skipped: no_engine" });
    expect(bench.told()).toContain("call.settled");
  });

  test("a recording that is expected and never told of holds a call without words for fifteen minutes", async () => {
    const bench = setup.bench({ withSpeech: true });
    const ids = await setup.makeCall(await setup.makeTenant(), { facts: { awaits_recording: true } });
    await bench.run(ids);
    expect((await statesOf(ids)).fetch_recording).toBe("blocked");
    await setup.clock.advance(900_000);
    await bench.run(ids);
    expect((await statesOf(ids)).fetch_recording).toBe("skipped: no_recording");
    expect(bench.told()).toContain("call.settled");
  });

  test("a recording that does not come holds nothing up where the words are there, and is tried again later", async () => {
    setup.model.answer({ status: 503 });
    const url = `${setup.model.url}recording.wav`;
    const recording = { status: "available", url, duration_ms: null, channels: null } as const;
    const tenantId = await setup.makeTenant();
    const bench = setup.bench();
    const ids = await setup.makeCall(tenantId, { turns: hebrewCall, facts: { recording } });
    await bench.run(ids);
    expect(bench.told()).toContain("call.settled");
    expect(await statesOf(ids)).toMatchObject({ fetch_recording: "queued", summarise: "succeeded" });
    expect(settled(bench.changes)?.analysis?.missing[0]).toMatchObject({ step: "fetch_recording", state: "queued" });
    expect(bench.later[0]).toBeGreaterThan(setup.clock.now());
  });

  test("past its time a call is settled with what is there: the rest has failed by the deadline", async () => {
    setup.model.answer(json({ error: { message: "overloaded" } }, 503));
    const tenantId = await setup.makeTenant();
    await setup.publish(tenantId, PlanDefinition.parse({ engine: { use: "llm", fallback: "none" } }));
    const bench = setup.bench({ withModel: true });
    const ids = await setup.makeCall(tenantId, { turns: plainCall });
    await bench.run(ids);
    expect((await statesOf(ids)).summarise).toBe("queued");
    await setup.clock.advance(3_600_000);
    setup.model.answer("hang");
    const late = setup.bench({ withModel: true });
    // The job that asks nobody is the one that comes at the deadline.
    await late.run(ids, { mayAsk: false });
    expect((await statesOf(ids)).summarise).toBe("failed: deadline");
    expect(late.told()).toEqual(["analysis.failed", "call.updated", "call.settled"]);
  });
});

describe("late data", () => {
  test("a transcript that comes after call.completed makes a new run, told once; call.completed again is for those who ask for it", async () => {
    const bench = setup.bench();
    const ids = await setup.makeCall(await setup.makeTenant());
    await bench.run(ids);
    const [first] = bench.changes.splice(0).filter(({ type }) => type === "call.settled") as CallChange[];
    await setup.retell(ids, { turns: hebrewCall });
    await setup.db.inTransaction([ids.tenantId], (tx) =>
      tx.run("update calls set announced = '{call.ended,call.completed}' where tenant_id = $1 and id = $2", [
        ids.tenantId,
        ids.callId,
      ]),
    );
    await bench.run(ids);
    await bench.run(ids);
    expect(bench.told()).toEqual(["transcript.ready", "analysis.completed", "call.updated", "call.resettled"]);
    expect(first?.analysis?.status).toBe("skipped");
    expect(await count("analysis_runs", ids)).toBe(2);
  });

  test("news that change nothing make no run", async () => {
    const bench = setup.bench();
    const ids = await setup.makeCall(await setup.makeTenant(), { turns: hebrewCall });
    for (let i = 0; i < 3; i++) await bench.run(ids);
    expect(bench.told()).toHaveLength(4);
    expect(await count("analysis_runs", ids)).toBe(1);
  });
});

describe("with a language model", () => {
  const withPlan = async () => {
    const tenantId = await setup.makeTenant();
    await setup.publish(tenantId, testPlan);
    return tenantId;
  };

  test("one request serves all sections; code decides what code can", async () => {
    setup.model.answer(answerAll);
    const before = setup.model.received.length;
    const bench = setup.bench({ withModel: true });
    const ids = await setup.makeCall(await withPlan(), { turns: plainCall });
    await bench.run(ids);
    expect(setup.model.received.length - before).toBe(1);
    const { analysis } = settled(bench.changes) ?? {};
    expect(analysis?.engine).toMatchObject({ kind: "llm", model: "test-model" });
    expect(analysis?.summary?.method).toBe("llm");
    expect(analysis?.fields.map(({ name, state, method }) => [name, state, method])).toEqual([
      ["city", "found", "llm"],
      ["rooms", "found", "llm"],
      ["phone", "not_mentioned", "parser"],
    ]);
    expect(
      analysis?.evaluation?.results.map(({ criterion_id, verdict }) => [criterion_id, verdict !== "unknown"]),
    ).toEqual([
      ["greeting", true],
      ["empathy", true],
      ["talk", true],
    ]);
    expect(await count("engine_answers", ids)).toBe(1);
    expect(bench.bugs).toEqual([]);
  });

  test("the job that may not wait leaves the model to one that may", async () => {
    setup.model.answer(answerAll);
    const bench = setup.bench({ withModel: true });
    const ids = await setup.makeCall(await withPlan(), { turns: plainCall });
    await bench.run(ids, { mayAsk: false });
    expect([bench.asked(), bench.told()]).toEqual([1, ["transcript.ready"]]);
    await bench.run(ids);
    expect(bench.told()).toContain("call.settled");
  });

  test("a model that fails is asked again after a while, then our own code does what it can and says so", async () => {
    setup.model.answer(json({ error: { message: "overloaded" } }, 503));
    const bench = setup.bench({ withModel: true });
    const ids = await setup.makeCall(await withPlan(), { turns: plainCall });
    for (let tries = 1; tries <= 5; tries++) {
      await bench.run(ids);
      await setup.clock.advance(200_000);
    }
    expect(bench.told()).toContain("call.settled");
    const { analysis } = settled(bench.changes) ?? {};
    expect(analysis?.sections.summary).toMatchObject({
      state: "partial",
      reason: "engine_unavailable",
      engine: { kind: "builtin" },
    });
    expect(analysis?.summary?.method).toBe("extractive");
    expect(analysis?.status).toBe("partial");
  });

  test("a section that failed is asked for again by hand, and alone", async () => {
    setup.model.answer(() => completion({ ...honest, evaluation: undefined, summary: "nonsense" }));
    const bench = setup.bench({ withModel: true });
    const ids = await setup.makeCall(await withPlan(), { turns: plainCall });
    await bench.run(ids);
    expect((await statesOf(ids)).summarise).toMatch(/^partial: /);
    setup.model.answer(answerAll);
    const queued: Ids[] = [];
    const handlers = pipelineHandlers({
      db: setup.db,
      ids: setup.ids,
      enqueueCalls: async (_tx, calls) => void queued.push(...calls),
      isOn: true,
    });
    const actor = { kind: "system", id: "test", role: "owner" } as const;
    const request = { tenant: ids.tenantId, actor, query: undefined, body: undefined };
    await handlers.retryCallStep({ ...request, params: { id: ids.callId, step: "summarise" } });
    expect(queued).toEqual([ids]);
    bench.changes.length = 0;
    await bench.run(ids);
    expect((await statesOf(ids)).summarise).toBe("succeeded");
    const [completed] = bench.changes.filter(({ type }) => type === "analysis.completed") as CallResult[];
    expect(completed?.data["analysis"]).toMatchObject({ summary: { method: "llm" } });
    expect(bench.told()).not.toContain("call.settled");
    expect(await count("analysis_runs", ids)).toBe(2);
  });
});

describe("crashes", () => {
  test.each(["before", "after"] as const)(
    "whichever commit the process dies %s, finished work stays, the model is not paid twice after a commit, and one result is told",
    async (when) => {
      setup.model.answer(answerAll);
      for (let at = 1; ; at++) {
        const tenantId = await setup.makeTenant();
        await setup.publish(tenantId, testPlan);
        const ids = await setup.makeCall(tenantId, { turns: plainCall });
        const asked = setup.model.received.length;
        const dying = dyingDb(setup.db, at, when);
        const jobId = setup.ids.next();
        const first = setup.bench({ withModel: true, db: dying.db });
        const died = await first.run(ids, { jobId }).then(
          () => false,
          (error: unknown) => error instanceof Died || /died/i.test(String(error)),
        );
        const isKept = (await count("engine_answers", ids)) > 0;
        const askedBefore = setup.model.received.length - asked;
        // The queue gives the same job to another process.
        const second = setup.bench({ withModel: true });
        await second.run(ids, { jobId });
        const askedAfter = setup.model.received.length - asked - askedBefore;
        if (isKept) expect([at, askedAfter]).toEqual([at, 0]);
        expect(await count("analysis_runs", ids)).toBe(1);
        expect(await count("engine_answers", ids)).toBe(1);
        const row = await setup.db.inTransaction([tenantId], (tx) =>
          tx.rows<{ announced: string[] }>("select announced from calls where tenant_id = $1 and id = $2", [
            tenantId,
            ids.callId,
          ]),
        );
        expect(row[0]?.announced).toContain("call.completed");
        expect(Object.keys(await statesOf(ids)).toSorted()).toEqual(StepName.options.toSorted());
        if (!died && dying.count() < at) break;
        expect(at).toBeLessThan(30);
      }
    },
  );

  test("fifty runs of one call at once: one result", async () => {
    setup.model.answer(answerAll);
    const tenantId = await setup.makeTenant();
    await setup.publish(tenantId, testPlan);
    const bench = setup.bench({ withModel: true });
    const ids = await setup.makeCall(tenantId, { turns: plainCall });
    const before = setup.model.received.length;
    await Promise.all(Array.from({ length: 50 }, () => bench.run(ids)));
    expect(setup.model.received.length - before).toBe(1);
    expect(bench.told().filter((type) => type === "call.settled")).toHaveLength(1);
    expect(bench.told().filter((type) => type === "transcript.ready")).toHaveLength(1);
    expect(await count("analysis_runs", ids)).toBe(1);
  });
});

test("every state that the API can show is a word of the contract", async () => {
  const ids = await setup.makeCall(await setup.makeTenant(), { turns: hebrewCall });
  await setup.bench().run(ids);
  const handlers = pipelineHandlers({ db: setup.db, ids: setup.ids, enqueueCalls: async () => {}, isOn: true });
  const actor = { kind: "system", id: "test", role: "owner" } as const;
  const shown = await handlers.getCallSteps({
    tenant: ids.tenantId,
    actor,
    params: { id: ids.callId },
    query: undefined,
    body: undefined,
  });
  expect(shown.steps.map(({ step }) => step)).toEqual(StepName.options);
  expect(shown.steps.map(({ state }): StepState => state)).not.toContain("blocked");
});
