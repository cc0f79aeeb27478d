import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { SectionName } from "@aftercall/contract/analysis/run.ts";
import { StepName } from "@aftercall/contract/analysis/step.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { CallChange } from "#/calls/change.ts";
import { completion, honest, json, plainCall, testPlan, turnsOf } from "#/models/language/test-model.ts";

import type { Reply } from "../../test/harness/receiver.ts";
import { loadSteps } from "./store.ts";
import { type CallGiven, pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
beforeAll(async () => {
  setup = await pipelineSetup();
});
afterAll(() => setup.close());

type Ids = { readonly tenantId: string; readonly callId: string };

async function run(given: CallGiven, plan: PlanDefinition, answer: Reply | null, runs = 1) {
  setup.model.answer(answer ?? { status: 500 });
  const tenantId = await setup.makeTenant();
  await setup.publish(tenantId, plan);
  const bench = setup.bench({ withModel: answer !== null });
  const ids = await setup.makeCall(tenantId, given);
  const before = setup.model.received.length;
  for (let i = 0; i < runs; i++) {
    // oxlint-disable-next-line no-await-in-loop -- One after the other.
    await bench.run(ids);
    // oxlint-disable-next-line no-await-in-loop -- The same.
    await setup.clock.advance(200_000);
  }
  const settled = bench.changes.find(
    (change): change is CallChange => "after" in change && change.type === "call.settled",
  );
  expect(bench.bugs).toEqual([]);
  return { ids, analysis: settled?.analysis, asked: setup.model.received.length - before };
}

const stepsOf = ({ tenantId, callId }: Ids) =>
  setup.db.inTransaction([tenantId], async (tx) => (await loadSteps(tx, tenantId, callId)).map(({ row }) => row));

const everything = PlanDefinition.parse({ ...testPlan, topics: { free: true }, sentiment: { enabled: true } });
const bare = PlanDefinition.parse({ summary: { enabled: false } });
const menu = turnsOf(["agent", "Press one for sales, press two for service."]);
const voicemail = { status: "ended", outcome: "voicemail" } as const;

test.each<[string, CallGiven, PlanDefinition, Reply | null, number?]>([
  ["without a word", {}, everything, null],
  ["that a machine took", { turns: menu, heard: voicemail }, everything, null],
  ["of one turn", { turns: plainCall.slice(0, 1) }, everything, null],
  ["by a plan that asks for nothing", { turns: plainCall }, bare, null],
  ["without a model", { turns: plainCall }, everything, null],
  ["by an honest model that leaves sections out", { turns: plainCall }, everything, completion(honest)],
  ["by a model that is gone", { turns: plainCall }, everything, json({ error: { message: "No such model" } }, 404)],
  ["by a model that is away for good", { turns: plainCall }, everything, json({ error: { message: "busy" } }, 503), 5],
  [
    "outside the languages of the plan",
    { turns: plainCall },
    { ...everything, gates: { ...everything.gates, languages: ["he"] } },
    null,
  ],
])(
  "every section and stage of a call %s has a state, and one that gave nothing says why",
  async (_, given, plan, answer, runs) => {
    const { ids, analysis } = await run(given, plan, answer, runs);
    expect(Object.keys(analysis?.sections ?? {}).toSorted()).toEqual(SectionName.options.toSorted());
    const steps = await stepsOf(ids);
    expect(steps.map(({ step }) => step).toSorted()).toEqual(StepName.options.toSorted());
    for (const { state, reason, detail } of [...Object.values(analysis?.sections ?? {}), ...steps]) {
      if (state === "succeeded") continue;
      expect([state, reason]).toEqual([expect.stringMatching(/^(partial|skipped|failed)$/), expect.any(String)]);
      expect(detail).toMatch(/\w+ \w+/);
    }
  },
);

test("a model that answers with no JSON is asked twice, the section has failed with invalid_output, and what it said is kept", async () => {
  const plan = PlanDefinition.parse({ engine: { use: "llm", fallback: "none" } });
  const { ids, asked, analysis } = await run({ turns: plainCall }, plan, completion("I would rather not say."));
  expect(asked).toBe(2);
  expect(analysis?.sections.summary).toMatchObject({ state: "failed", reason: "invalid_output" });
  const kept = await setup.db.inTransaction([ids.tenantId], (tx) =>
    tx.rows<{ text: string }>("select answer->>'text' as text from engine_answers where call_id = $1", [ids.callId]),
  );
  expect(kept.map(({ text }) => text)).toEqual(["I would rather not say.", "I would rather not say."]);
});
