import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import type { CallChange } from "#/calls/change.ts";
import { completion, honest, json, plainCall, testPlan } from "#/models/language/test-model.ts";

import { wavFile } from "../../test/harness/audio/files.ts";
import { knownWav } from "../../test/harness/audio/known-call.ts";
import { startRecordingHost } from "../../test/harness/recording-host.ts";
import { loadSteps } from "./store.ts";
import { pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
let host: Awaited<ReturnType<typeof startRecordingHost>>;
beforeAll(async () => {
  [setup, host] = await Promise.all([pipelineSetup(), startRecordingHost()]);
});
afterAll(() => Promise.all([setup.close(), host.close()]));
afterEach(() => setup.model.answer({ status: 200 }));

/** A dollar for a thousand tokens. */
const dear = {
  currency: "USD",
  input_per_million: "1000",
  cached_input_per_million: null,
  output_per_million: "1000",
} as const;

function limited(amount: string, more: object = {}, currency = "USD"): PlanDefinition {
  return PlanDefinition.parse({ ...testPlan, gates: { max_cost: { amount, currency } }, ...more });
}

/** Publishes a plan, runs a call through it, and says how its steps stand and how often the engines were asked. */
async function run(plan: PlanDefinition, options: Parameters<typeof setup.bench>[0], given: object = {}) {
  const tenantId = await setup.makeTenant();
  await setup.publish(tenantId, plan);
  const bench = setup.bench(options);
  const ids = await setup.makeCall(tenantId, { turns: plainCall, ...given });
  const before = setup.model.received.length;
  await bench.run(ids);
  const steps = await setup.db.inTransaction([tenantId], (tx) => loadSteps(tx, tenantId, ids.callId));
  const settled = bench.changes.find((change): change is CallChange => change.type === "call.settled");
  return {
    bench,
    ids,
    asked: setup.model.received.length - before,
    analysis: settled?.analysis,
    step: (name: string) => steps.find(({ row }) => row.step === name)?.row,
  };
}

const answerAll = () => setup.model.answer(() => completion(honest));

test("a model that would cost more than the plan lets a call cost is not asked; our own code does what it can, and says so", async () => {
  answerAll();
  const { asked, analysis, step } = await run(limited("0.50"), { withModel: true, languagePrice: dear });
  expect(asked).toBe(0);
  expect(analysis?.sections.summary).toMatchObject({
    state: "partial",
    reason: "cost_limit",
    engine: { kind: "builtin" },
  });
  expect(analysis?.sections.summary?.detail).toMatch(
    /^The plan lets a call cost 0.5 USD: 0 are spent, and about \d[\d.]* would be added. Made by the built-in analyzer instead.$/,
  );
  expect(analysis?.sections.evaluation).toMatchObject({ state: "partial", reason: "cost_limit" });
  expect(step("settle")?.state).toBe("succeeded");
});

test("a plan that takes nothing but a model's word has such sections skipped with the reason", async () => {
  answerAll();
  const plan = limited("0.50", { engine: { use: "llm", fallback: "none" } });
  const { asked, analysis } = await run(plan, { withModel: true, languagePrice: dear });
  expect(asked).toBe(0);
  expect(analysis?.sections.summary).toMatchObject({ state: "skipped", reason: "cost_limit" });
  // Phrases and numbers cost nothing.
  expect(analysis?.missing.find(({ step }) => step === "summarise")).toMatchObject({ reason: "cost_limit" });
});

test("within the limit the model is asked once for everything, and what that cost does not turn on its own sections", async () => {
  answerAll();
  const { asked, analysis, bench, ids } = await run(limited("10"), { withModel: true, languagePrice: dear });
  expect(asked).toBe(1);
  expect(analysis?.sections.coaching?.state).toBe("succeeded");
  expect(analysis?.sections.evaluation).toMatchObject({ state: "succeeded", engine: { kind: "llm" } });
  await bench.run(ids);
  expect(bench.told().filter((type) => type === "analysis.completed")).toHaveLength(1);
});

test("a limit in another currency than the engine's prices is never passed; without a known price there is nothing to hold", async () => {
  answerAll();
  const euro = await run(limited("10", {}, "EUR"), { withModel: true, languagePrice: dear });
  expect([euro.asked, euro.step("summarise")?.detail]).toEqual([
    0,
    "The plan's limit is in EUR, and the engine costs USD. Made by the built-in analyzer instead.",
  ]);
  expect((await run(limited("0.01"), { withModel: true })).asked).toBe(1);
});

test("a recording too dear to be turned into text is left, and what was heard leaves less for the model", async () => {
  const stereo = knownWav.subarray(44);
  const mono = wavFile(7, 8, 1, 8000, Buffer.from(stereo.filter((_byte, i) => i % 2 === 0)));
  host.serve((_request, response) => response.writeHead(200).end(mono));
  const recording = { status: "available", url: `${host.url}/call.wav`, duration_ms: null, channels: null } as const;
  const given = { turns: undefined, facts: { recording } };
  const heard = plainCall.map(({ text }, id) => ({ id, start: id * 5, end: id * 5 + 4, text, avg_logprob: -0.1 }));
  setup.model.answer((request) =>
    String(request.headers["content-type"]).startsWith("multipart")
      ? json({ language: "english", duration: 27, text: "", segments: heard })
      : completion(honest),
  );
  const engines = { withModel: true, languagePrice: dear, withSpeech: true } as const;
  const tooDear = await run(limited("10"), { ...engines, speechPrice: { currency: "USD", per_minute: "100" } }, given);
  expect(tooDear.asked).toBe(0);
  expect(tooDear.step("transcribe")).toMatchObject({ state: "skipped", reason: "cost_limit" });
  expect(tooDear.step("settle")?.state).toBe("succeeded");

  const rest = await run(limited("10"), { ...engines, speechPrice: { currency: "USD", per_minute: "20" } }, given);
  expect(rest.step("transcribe")?.state).toBe("succeeded");
  expect(rest.step("summarise")).toMatchObject({ state: "partial", reason: "cost_limit" });
  expect(rest.step("summarise")?.detail).toContain(": 9 are spent,");
});
