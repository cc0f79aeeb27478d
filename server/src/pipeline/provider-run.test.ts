import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { CallChange, CallResult } from "#/calls/change.ts";
import { join, stateOf } from "#/calls/state.ts";
import { loadCall, saveCalls } from "#/calls/store.ts";
import { currentRun, listRuns } from "#/evaluation/run-store.ts";
import { turnsOf } from "#/models/language/test-model.ts";
import { providerAnalysis, type ProviderAnalysis } from "#/providers/analysis.ts";
import { callEvent, type Facts } from "#/providers/provider.ts";

import { pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
beforeAll(async () => {
  setup = await pipelineSetup();
});
afterAll(() => setup.close());

type Ids = { readonly tenantId: string; readonly callId: string };

const talk = turnsOf(
  ["agent", "Good evening, this is the night desk."],
  ["customer", "I am locked out of my flat in Tel Aviv, call me at 212-555-0142."],
  ["agent", "A locksmith will be there in half an hour."],
);

function said(changes: Partial<ProviderAnalysis> = {}): Facts {
  const analysis = providerAnalysis("elevenlabs", {
    title: "Locked out",
    summary: "The caller is locked out; the number is 212-555-0142.",
    fields: [
      { name: "city", value: "Jaffa", rationale: "The caller said so." },
      { name: "urgent", value: null, rationale: null },
    ],
    criteria: [{ id: "polite", name: "polite", verdict: "met", points: null, max_points: 1, rationale: "Yes." }],
    result: "pass",
    ...changes,
  });
  return { provider_analysis: analysis };
}

const runsOf = ({ tenantId, callId }: Ids) =>
  setup.db.inTransaction([tenantId], (tx) => listRuns(tx, tenantId, callId, null, 50));
const shownOf = ({ tenantId, callId }: Ids) =>
  setup.db.inTransaction([tenantId], (tx) => currentRun(tx, tenantId, callId));
/** One more event about a call. */
async function hear({ tenantId, callId }: Ids, facts: Facts): Promise<void> {
  const eventId = setup.ids.next();
  const event = callEvent({ key: eventId, type: "test", facts });
  const heard = stateOf({ event, eventId, by: `test:${eventId}`, receivedAt: setup.clock.now() });
  await setup.db.inTransaction([tenantId], async (tx) => {
    const call = await loadCall(tx, tenantId, callId);
    if (call) await saveCalls(tx, [{ ...call, state: join(call.state, heard) }]);
  });
}

const settledIn = (changes: readonly { type: string }[]) =>
  changes.find((change): change is CallChange => change.type === "call.settled")?.analysis;
const toldIn = (changes: readonly { type: string }[]) =>
  changes.filter((change): change is CallResult => change.type === "analysis.completed");

test("what the provider made of a call is a run beside ours: labelled, whole, and never mixed into it", async () => {
  const bench = setup.bench();
  const ids = await setup.makeCall(await setup.makeTenant(), { turns: talk, facts: said() });
  await bench.run(ids);
  const [ours, theirs] = await runsOf(ids);
  expect(theirs).toMatchObject({
    trigger: "provider",
    isCurrent: false,
    status: "succeeded",
    summary: { title: "Locked out", method: "provider", evidence: [] },
    evaluation: { result: "pass", score: null, coverage: 1, results: [{ criterion_id: "polite", verdict: "met" }] },
  });
  expect(theirs?.fields).toMatchObject([
    { name: "city", value: "Jaffa", state: "found", method: "provider", rationale: "The caller said so." },
    { name: "urgent", value: null, state: "not_mentioned" },
  ]);
  expect(ours).toMatchObject({ trigger: "pipeline", isCurrent: true, summary: { method: "extractive" } });
  expect(ours?.fields.find(({ name }) => name === "city")).toMatchObject({ value: "Tel Aviv", method: "gazetteer" });
  const told = settledIn(bench.changes);
  const [our, their] = [ours?.id ?? "", theirs?.id ?? ""].map((id) => toPublicId("analysis_run", id));
  expect(told).toMatchObject({
    run_id: our,
    engine: { kind: "builtin" },
    summary: { method: "extractive" },
    provider: { run_id: their, engine: { kind: "provider", provider: "elevenlabs" }, summary: { method: "provider" } },
    // We keep no scorecard without a plan for one: theirs counts.
    current: { summary: our, extraction: our, evaluation: their },
  });
  expect(bench.bugs).toEqual([]);
});

test("where nothing came of ours the call shows what the provider made, and says so in its messages", async () => {
  const bench = setup.bench();
  const ids = await setup.makeCall(await setup.makeTenant(), { facts: said() });
  await bench.run(ids);
  expect(await shownOf(ids)).toMatchObject({ trigger: "provider" });
  expect(toldIn(bench.changes)).toHaveLength(1);
  expect(settledIn(bench.changes)).toMatchObject({ status: "skipped", summary: null, provider: { fields: [{}, {}] } });
});

test("a plan can have calls show what the provider made although ours came to something", async () => {
  const tenantId = await setup.makeTenant();
  await setup.publish(tenantId, PlanDefinition.parse({ provider: { show: "provider" } }));
  const ids = await setup.makeCall(tenantId, { turns: talk, facts: said() });
  await setup.bench().run(ids);
  expect(await shownOf(ids)).toMatchObject({ trigger: "provider" });
  expect(await runsOf(ids)).toHaveLength(2);
});

test("told again it is no second run; what the provider says otherwise later is one, told once, beside our own run", async () => {
  const bench = setup.bench();
  const tenantId = await setup.makeTenant();
  const ids = await setup.makeCall(tenantId, { turns: talk, facts: said() });
  await bench.run(ids);
  await hear(ids, said());
  await bench.run(ids);
  expect(await runsOf(ids)).toHaveLength(2);
  bench.changes.length = 0;
  await hear(ids, said({ result: "fail" }));
  await bench.run(ids);
  await bench.run(ids);
  const runs = await runsOf(ids);
  expect(runs.map(({ trigger }) => trigger)).toEqual(["provider", "pipeline", "provider"]);
  const [told, ...more] = toldIn(bench.changes);
  expect(more).toEqual([]);
  expect(told?.subject).toBe(runs[0]?.id);
  expect(told?.data["analysis"]).toMatchObject({
    run_id: toPublicId("analysis_run", runs[1]?.id ?? ""),
    provider: { evaluation: { result: "fail" } },
  });
  expect(bench.changes.some(({ type }) => type === "call.settled")).toBe(false);
});

test("where the plan masks, the provider's run is masked as well", async () => {
  const tenantId = await setup.makeTenant();
  await setup.publish(tenantId, PlanDefinition.parse({ redaction: { mode: "mask_outbound" } }));
  const bench = setup.bench();
  const ids = await setup.makeCall(tenantId, {
    turns: talk,
    facts: said({ fields: [{ name: "phone", value: 2125550142, rationale: null }] }),
  });
  await bench.run(ids);
  await bench.run(ids);
  const runs = await runsOf(ids);
  expect(runs).toHaveLength(2);
  expect(runs.find(({ trigger }) => trigger === "provider")?.summary?.text).toBe(
    "The caller is locked out; the number is [PHONE_1].",
  );
  expect(JSON.stringify([runs, settledIn(bench.changes)])).not.toContain("0142");
});
