import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import type { CallMoment } from "@aftercall/contract/moment.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { saveMoments, shownMoments } from "#/calls/moment-store.ts";
import { loadCall } from "#/calls/store.ts";
import { turnsOf } from "#/models/language/test-model.ts";
import { momentsOf } from "#/providers/moment.ts";

import { loadMetrics } from "./metric-store.ts";
import { loadSteps } from "./store.ts";
import { pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
beforeAll(async () => {
  setup = await pipelineSetup();
});
afterAll(() => setup.close());

type Ids = { readonly tenantId: string; readonly callId: string };

const phone = "+972 50 123 4567";
const turns = turnsOf(
  ["agent", "Good morning, what is your number?"],
  ["customer", `It is ${phone}, I want to sell my flat.`],
);
const moments = momentsOf([
  { kind: "tool_call", ref: "1", name: "save_lead", args: { lead: { phone: 972_501_234_567, rooms: 3 } }, at_ms: 1000 },
  { kind: "tool_result", ref: "1", name: "save_lead", result: `saved ${phone}`, at_ms: 1400 },
  { kind: "dtmf", args: { digits: "4711" }, at_ms: 2000 },
]);
const personal = /123\s?4567|501234567|4711/;
const masking = (mode: string) => PlanDefinition.parse({ redaction: { mode, types: ["phone"] } });

async function callBy(mode: string, given: Parameters<typeof setup.makeCall>[1] = { turns }): Promise<Ids> {
  const tenantId = await setup.makeTenant();
  await setup.publish(tenantId, masking(mode));
  return setup.makeCall(tenantId, { moments, ...given });
}

async function seen({ tenantId, callId }: Ids): Promise<{ shown: CallMoment[]; kept: string }> {
  return setup.db.inTransaction([tenantId], async (tx) => {
    const record = await loadCall(tx, tenantId, callId);
    const rows = await tx.rows<{ row: string }>("select to_jsonb(t)::text as row from call_moments t");
    return { shown: record ? await shownMoments(tx, record) : [], kept: rows.map(({ row }) => row).join() };
  });
}

test.each(["mask_outbound", "mask_before_llm", "mask_at_rest"])(
  "%s: what tools were given and gave back leaves without personal data, with the tokens of the transcript",
  async (mode) => {
    const bench = setup.bench();
    const ids = await callBy(mode);
    await bench.run(ids);
    const settled = bench.changes.find(({ type }) => type === "call.settled");
    const told = settled && "moments" in settled ? settled.moments : null;
    const { shown, kept } = await seen(ids);
    expect(told).toEqual(shown);
    expect(shown.map(({ args, result }) => args ?? result)).toEqual([
      { lead: { phone: "[PHONE_1]", rooms: 3 } },
      "saved [PHONE_1]",
      { digits: "[DTMF]" },
    ]);
    expect(personal.test(kept)).toBe(mode !== "mask_at_rest");
    expect(bench.bugs).toEqual([]);
  },
);

test("masked for good stays masked, however often its event is applied again", async () => {
  const ids = await callBy("mask_at_rest");
  await setup.bench().run(ids);
  const { shown } = await seen(ids);
  await setup.db.inTransaction([ids.tenantId], async (tx) => {
    const [row] = await tx.rows<{ event_id: string }>("select event_id from call_moments");
    await saveMoments(tx, [{ ...ids, eventId: row?.event_id ?? "", moments }]);
  });
  await setup.retell(ids, { moments: momentsOf([{ kind: "sms", at_ms: 5 }]), isAdded: true });
  await setup.bench().run(ids);
  expect((await seen(ids)).kept).not.toMatch(personal);
  expect((await seen(ids)).shown).toEqual(expect.arrayContaining(shown));
});

test("where nothing was said what tools were given is masked all the same", async () => {
  const ids = await callBy("mask_outbound", {});
  await setup.bench().run(ids);
  const { shown } = await seen(ids);
  expect(shown).toHaveLength(3);
  expect(JSON.stringify(shown)).not.toMatch(personal);
});

test("a plan that masks nothing shows them as they were told", async () => {
  const bench = setup.bench();
  const ids = await callBy("off");
  await bench.run(ids);
  expect(JSON.stringify((await seen(ids)).shown)).toMatch(personal);
});

test("where nothing was said holds, transfers and tools are counted all the same", async () => {
  const ids = await callBy("off", { moments: momentsOf([{ kind: "hold", at_ms: 5_000, end_ms: 9_000 }]) });
  await setup.bench().run(ids);
  const { sets, steps } = await setup.db.inTransaction([ids.tenantId], async (tx) => ({
    sets: await loadMetrics(tx, ids.tenantId, ids.callId),
    steps: await loadSteps(tx, ids.tenantId, ids.callId),
  }));
  expect(sets.map(({ values }) => values.find(({ key }) => key === "hold_ms")?.value)).toEqual([4_000]);
  expect(sets[0]?.values.some(({ key }) => key === "turns" || key === "talk_ms")).toBe(false);
  expect(steps.find(({ row }) => row.step === "measure_text")?.row).toMatchObject({
    state: "partial",
    reason: "no_transcript",
  });
  expect(steps.find(({ row }) => row.step === "summarise")?.row).toMatchObject({ state: "skipped" });
});

test("a hold that is told of after the call was settled is in its numbers, and the gap it explains is no dead air", async () => {
  const at = (start: number, end: number) => ({ start_ms: start, end_ms: end });
  const timed = [
    { role: "agent" as const, text: "One moment please.", ...at(0, 10_000) },
    { role: "customer" as const, text: "Thank you very much for that.", ...at(40_000, 60_000) },
  ];
  const ids = await callBy("off", { turns: timed, moments: [] });
  const values = async () => {
    const sets = await setup.db.inTransaction([ids.tenantId], (tx) => loadMetrics(tx, ids.tenantId, ids.callId));
    const number = (key: string) => sets[0]?.values.find((value) => value.key === key)?.value;
    return [number("silence_ms"), number("dead_air_ms"), number("hold_ms")];
  };
  await setup.bench().run(ids);
  expect(await values()).toEqual([30_000, 30_000, null]);
  const held = momentsOf([{ kind: "hold", at_ms: 11_000, end_ms: 39_000 }]);
  await setup.retell(ids, { moments: held, isAdded: true });
  await setup.bench().run(ids);
  expect(await values()).toEqual([30_000, 0, 28_000]);
});
