import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import type { Turn } from "@aftercall/contract/call.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { loadCurrentTranscript } from "#/calls/transcript-store.ts";
import { listRuns } from "#/evaluation/run-store.ts";
import { turnsOf } from "#/models/language/test-model.ts";
import { recordingsOfCall } from "#/recordings/store.ts";

import { knownWav as wav } from "../../test/harness/audio/known-call.ts";
import { startRecordingHost } from "../../test/harness/recording-host.ts";
import { correctionHandlers } from "./corrections.ts";
import { loadMetrics } from "./metric-store.ts";
import type { PipelineData } from "./run.ts";
import { loadSteps } from "./store.ts";
import { pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
let host: Awaited<ReturnType<typeof startRecordingHost>>;
beforeAll(async () => {
  [setup, host] = await Promise.all([pipelineSetup(), startRecordingHost()]);
});
afterAll(() => Promise.all([setup.close(), host.close()]));

const actor = { kind: "user", id: "dana", role: "member" } as const;
const said = turnsOf(
  ["agent", "Good morning, how can I help you today?"],
  ["customer", "I want to sell my hat in Haifa, please."],
  ["agent", "I will send you an offer by tomorrow."],
);

/** The routes, and what they queued. */
function routes() {
  const queued: PipelineData[] = [];
  const handlers = correctionHandlers({
    db: setup.db,
    ids: setup.ids,
    enqueueCalls: async (_tx, calls) => void queued.push(...calls),
  });
  const edit = (ids: PipelineData, turns: readonly Pick<Turn, "role" | "text">[]) =>
    handlers.editTranscript({
      ...{ tenant: ids.tenantId, actor, params: { id: ids.callId }, query: undefined },
      body: { turns: [...turns] },
    });
  return { queued, handlers, edit };
}

const inTx = <T>({ tenantId }: PipelineData, work: Parameters<typeof setup.db.inTransaction<T>>[1]) =>
  setup.db.inTransaction([tenantId], work);
const current = (ids: PipelineData) => inTx(ids, (tx) => loadCurrentTranscript(tx, ids.tenantId, ids.callId));
const corrected = said.map(({ role, text }) => ({ role, text: text.replace("hat", "flat") }));

test("a run made of words that were put right since says so: at once, and for good; the one made of the new words does not", async () => {
  for (const plan of [PlanDefinition.parse({}), PlanDefinition.parse({ redaction: { mode: "mask_outbound" } })]) {
    const tenantId = await setup.makeTenant();
    await setup.publish(tenantId, plan);
    const bench = setup.bench();
    const ids = await setup.makeCall(tenantId, { turns: said });
    await bench.run(ids);
    const stale = async () => {
      const runs = await inTx(ids, (tx) => listRuns(tx, ids.tenantId, ids.callId, null, 9));
      return runs.map(({ isStale }) => isStale);
    };
    expect(await stale()).toEqual([false]);
    await routes().edit(ids, corrected);
    expect(await stale()).toEqual([true]);
    await bench.run(ids);
    expect(await stale()).toEqual([false, true]);
    await routes().edit(ids, said);
    expect(await stale()).toEqual([true, true]);
  }
});

test("what a person put right counts at once, is analysed again as a new run, and stays whatever the provider sends later", async () => {
  const bench = setup.bench();
  const ids = await setup.makeCall(await setup.makeTenant(), { turns: said });
  await bench.run(ids);
  const before = await current(ids);
  const { edit, queued } = routes();
  await edit(ids, corrected);
  expect(queued).toEqual([ids]);
  const after = await current(ids);
  expect(after).toMatchObject({ origin: "human_edit", parentId: before?.id });
  // The times of what was not changed stay.
  expect(after?.transcript.turns.map(({ start_ms }) => start_ms)).toEqual([0, 5_000, 10_000]);
  const told = bench.told().length;
  await bench.run(ids);
  expect(bench.told().slice(told)).toEqual([
    "transcript.ready",
    "analysis.completed",
    "call.updated",
    "call.resettled",
  ]);
  const runs = await inTx(ids, (tx) =>
    tx.rows<{ is_current: boolean; transcript_id: string; summary: { text: string } }>(
      "select is_current, transcript_id, summary from analysis_runs where call_id = $1 order by created_at, id",
      [ids.callId],
    ),
  );
  expect(runs).toMatchObject([
    { is_current: false, transcript_id: before?.id },
    { is_current: true, transcript_id: after?.id },
  ]);
  expect(runs[1]?.summary.text).toContain("flat");
  await setup.retell(ids, { turns: said.slice(0, 2) });
  await bench.run(ids);
  expect((await current(ids))?.id).toBe(after?.id);
  const { rows } = await inTx(ids, async (tx) => ({
    rows: await tx.rows<{ action: string; actor: string; detail: object }>(
      "select action, actor, detail from audit_log where tenant_id = $1",
      [ids.tenantId],
    ),
  }));
  expect(rows).toEqual([{ action: "transcript.edited", actor: "user:dana", detail: { turns: 3, changed: 1 } }]);
});

test("404, 409: there must be a call, and something must have been made of it", async () => {
  const { edit } = routes();
  const ids = await setup.makeCall(await setup.makeTenant(), { turns: said });
  await expect(edit({ ...ids, callId: setup.ids.next() }, corrected)).rejects.toMatchObject({ status: 404 });
  await expect(edit(ids, corrected)).rejects.toMatchObject({ status: 409 });
});

test("where the plan masks, what a person wrote is masked before anybody is shown it", async () => {
  const tenantId = await setup.makeTenant();
  await setup.publish(tenantId, PlanDefinition.parse({ redaction: { mode: "mask_before_llm" } }));
  const bench = setup.bench();
  const ids = await setup.makeCall(tenantId, { turns: said });
  await bench.run(ids);
  await routes().edit(ids, [...corrected, { role: "customer", text: "Call +972 50 123 4567" }]);
  expect(JSON.stringify(await current(ids))).not.toContain("4567");
  await bench.run(ids);
  expect((await current(ids))?.transcript.turns[3]?.text).toBe("Call [PHONE_1]");
});

test("an edit never unmutes: the redacted recording from before stays, and the step says why there is no other", async () => {
  host.serve((_request, response) => response.writeHead(200).end(wav));
  const recording = { status: "available" as const, url: `${host.url}/b.wav`, duration_ms: null, channels: 2 };
  const tenantId = await setup.makeTenant();
  await setup.publish(tenantId, PlanDefinition.parse({ redaction: { mode: "mask_outbound", audio: true } }));
  const number = { text: "0501234567", start_ms: 6_000, end_ms: 7_000, confidence: null };
  const turns = [
    ...said,
    { ...said[1], role: "customer", text: number.text, start_ms: 6_000, end_ms: 7_000, words: [number] },
  ];
  const bench = setup.bench();
  const ids = await setup.makeCall(tenantId, { turns: turns as Turn[], facts: { recording, customer_name: "Ruth" } });
  await bench.run(ids);
  const copies = async () =>
    (await inTx(ids, (tx) => recordingsOfCall(tx, tenantId, ids.callId))).filter(({ kind }) => kind === "redacted");
  const before = await copies();
  expect(before).toMatchObject([{ state: "stored" }]);
  await routes().edit(ids, corrected);
  await bench.run(ids);
  expect(await copies()).toEqual(before);
  const steps = await inTx(ids, (tx) => loadSteps(tx, tenantId, ids.callId));
  const redact = steps.find(({ row }) => row.step === "redact")?.row;
  expect(redact).toMatchObject({ state: "failed", reason: "redaction_unlocated" });
});

test("422, 409: roles must fit the channels; named anew, numbers and turns are made again without transcribing", async () => {
  host.serve((_request, response) => response.writeHead(200).end(wav));
  const recording = { status: "available" as const, url: `${host.url}/a.wav`, duration_ms: null, channels: 2 };
  const bench = setup.bench();
  const turns = said.map((turn, i) => ({ ...turn, channel: i === 1 ? 0 : 1 }));
  const ids = await setup.makeCall(await setup.makeTenant(), { turns, facts: { recording } });
  await bench.run(ids);
  const [row] = await inTx(ids, (tx) => recordingsOfCall(tx, ids.tenantId, ids.callId));
  const { handlers } = routes();
  const name = (roles: Turn["role"][]) =>
    handlers.setChannelMap({
      ...{ tenant: ids.tenantId, actor, params: { id: row?.id ?? "" }, query: undefined },
      body: { roles },
    });
  await expect(name(["agent"])).rejects.toMatchObject({ status: 422 });
  const stepsBefore = await inTx(ids, (tx) => loadSteps(tx, ids.tenantId, ids.callId));
  await name(["agent", "customer"]);
  await bench.run(ids);
  expect((await current(ids))?.transcript.turns.map(({ role }) => role)).toEqual(["customer", "agent", "customer"]);
  const [audio] = await inTx(ids, (tx) => loadMetrics(tx, ids.tenantId, ids.callId));
  expect(JSON.stringify(audio?.values)).toContain('"agent"');
  const steps = await inTx(ids, (tx) => loadSteps(tx, ids.tenantId, ids.callId));
  const of = (rows: typeof steps, step: string) => rows.find((one) => one.row.step === step)?.row;
  expect(of(steps, "measure_audio")?.inputHash).not.toBe(of(stepsBefore, "measure_audio")?.inputHash);
  expect(of(steps, "fetch_recording")?.finishedAt).toBe(of(stepsBefore, "fetch_recording")?.finishedAt);
});
