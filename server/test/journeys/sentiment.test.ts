import type { MetricSet } from "@aftercall/contract/analysis/metrics.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { completion, json, saidTo } from "#/models/language/test-model.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, type Customer } from "../harness/customer.ts";
import { publishPlan, readCall, runAgain, withModel } from "../harness/read-call.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const said = [
  ["customer", "I am really angry, my number is +972 50 765 4321."],
  ["agent", "I am sorry to hear that."],
  ["customer", "Where is my order?"],
  ["agent", "It comes in ten minutes."],
  ["agent", "Is there anything else?"],
  ["customer", "No, that is wonderful, thank you."],
] as const;
const definition = {
  summary: { enabled: false },
  sentiment: { enabled: true },
  trackers: [
    {
      id: "unhappy",
      name: "An unhappy customer",
      metric: { key: "sentiment", role: "customer", op: "<", value: 0 },
      alert: true,
    },
  ],
};
const felt = (score: number, turn?: string, quote = "") => ({ score, evidence: turn ? [{ turn, quote }] : [] });
const sentiment = {
  agent: { whole: felt(0), first_quarter: felt(0), last_quarter: felt(0) },
  customer: {
    whole: felt(-2, "T0", "I am really angry"),
    first_quarter: felt(-9, "T0", "I am really angry"),
    last_quarter: felt(4, "T5", "that is wonderful, thank you"),
  },
};

const metricsOf = async (customer: Customer, id: string): Promise<MetricSet[]> =>
  (await customer.get(`/v1/calls/${id}/metrics`)).data;

const numbersOf = (sets: readonly MetricSet[]) =>
  sets.flatMap(({ values }) =>
    values.flatMap(({ key, role, value, basis, null_reason }) =>
      key.startsWith("sentiment") ? [[key, role, value, basis ?? null_reason]] : [],
    ),
  );

test("how the sides felt stands in the run, in the metrics and in call.completed, and sets off the trackers that test it", async () => {
  const { customer, model } = await withModel(app, definition);
  model.answer(completion({ sentiment }));
  const { id, shown, told, messages } = await readCall(customer, said, ["call.completed", "tracker.matched"]);
  expect(model.received).toHaveLength(1);
  expect(shown.sentiment.roles).toMatchObject([
    { role: "agent", value: 0, trend: null, trend_null_reason: "said_nothing" },
    {
      role: "customer",
      value: -2,
      first_quarter: -5,
      last_quarter: 4,
      trend: 9,
      evidence: [{ turn: 0 }, {}, { turn: 5 }],
    },
  ]);
  expect(shown.sections.sentiment).toMatchObject({ state: "succeeded", engine: { kind: "llm" } });
  const numbers = [
    ["sentiment", "agent", 0, "engine"],
    ["sentiment_trend", "agent", null, "said_nothing"],
    ["sentiment", "customer", -2, "engine"],
    ["sentiment_trend", "customer", 9, "engine"],
  ];
  expect(numbersOf(await metricsOf(customer, id))).toEqual(numbers);
  expect(numbersOf(told.metrics)).toEqual(numbers);
  expect([told.sentiment, told.sections.sentiment]).toEqual([shown.sentiment, shown.sections.sentiment]);
  expect(shown.trackers).toMatchObject([{ id: "unhappy", hit: true }]);
  const alert = messages.find(({ type }) => type === "tracker.matched");
  expect(alert.data.tracker).toMatchObject({ id: "unhappy", alert: true });
});

test("without a model nobody's feeling is known: null with needs_llm, the section says no_engine, and no tracker hits", async () => {
  const customer = await makeCustomer(app);
  await publishPlan(customer, definition);
  const { id, shown, told } = await readCall(customer, said);
  expect(shown).toMatchObject({ sentiment: null, sections: { sentiment: { state: "skipped", reason: "no_engine" } } });
  expect(told.sections.sentiment.detail).toMatch(/language model/);
  expect(new Set(numbersOf(await metricsOf(customer, id)).map(([, , value, why]) => `${value} ${why}`))).toEqual(
    new Set(["null needs_llm"]),
  );
  expect(shown.trackers).toMatchObject([{ hit: false }]);
});

test("where the plan does not ask, no model is asked, and the section says so", async () => {
  const { customer, model } = await withModel(app, { summary: { enabled: false } });
  const { shown, told } = await readCall(customer, said);
  expect(model.received).toEqual([]);
  expect(shown.sections.sentiment).toMatchObject({ state: "skipped", reason: "disabled_by_plan" });
  expect(told.sentiment).toBeNull();
});

test.each([
  ["is gone", json({ error: { message: "No such model" } }, 404), "engine_rejected"],
  ["answers nonsense", completion({ sentiment: "good" }), "invalid_output"],
])("a model that %s leaves no number behind, but its reason", async (_, answer, reason) => {
  const { customer, model } = await withModel(app, definition);
  model.answer(answer);
  const { id, shown, told } = await readCall(customer, said);
  expect([shown.sentiment, told.sections.sentiment]).toMatchObject([null, { state: "failed", reason }]);
  expect(numbersOf(await metricsOf(customer, id))[0]).toEqual(["sentiment", "agent", null, "needs_llm"]);
});

test.each(["mask_before_llm", "mask_at_rest", "mask_outbound"])(
  "with %s no quote shows the number that was said",
  async (mode) => {
    const { customer, model } = await withModel(app, { ...definition, redaction: { mode, types: ["phone"] } });
    model.answer((request) => {
      const number = /\[PHONE_1\]|\+972[ \d]+/.exec(saidTo(request))?.[0] ?? "";
      const whole = felt(-2, "T0", `my number is ${number}`);
      return completion({ sentiment: { ...sentiment, customer: { ...sentiment.customer, whole } } });
    });
    const { shown, told } = await readCall(customer, said);
    expect(/765.?4321/.test(saidTo(model.received[0]))).toBe(mode === "mask_outbound");
    expect(shown.sentiment.roles[1]).toMatchObject({
      value: -2,
      evidence: [{ quote: "my number is [PHONE_1]" }, {}, {}],
    });
    expect(JSON.stringify([shown, told])).not.toMatch(/765.?4321/);
  },
);

test("runs are compared by it, it is exported with them, and nothing of it is left of an erased call", async () => {
  const { customer, model, planId } = await withModel(app, definition);
  model.answer(completion({ sentiment }));
  const { id, shown } = await readCall(customer, said);
  await customer.post(`/v1/analysis-plans/${planId}/draft`, undefined);
  const changed = { ...definition, summary: { enabled: false, language: "he" } };
  await customer.ask("PATCH", `/v1/analysis-plans/${planId}`, { definition: changed });
  await customer.post(`/v1/analysis-plans/${planId}/publish`, undefined);
  model.answer(completion({ sentiment: { ...sentiment, customer: { ...sentiment.customer, whole: felt(0) } } }));
  const path = await runAgain(customer, { plan_id: planId, sections: ["sentiment"], filter: { call_ids: [id] } });
  expect((await customer.get(`${path}/comparison`)).changed[0]?.sentiment).toEqual([
    { role: "agent", is_same: true, before: 0, after: 0, trend_before: null, trend_after: null },
    { role: "customer", is_same: false, before: -2, after: 0, trend_before: 9, trend_after: 9 },
  ]);
  const exported = await app.get("/v1/export", { authorization: `Bearer ${customer.key}` });
  expect(exported.text).toContain("I am really angry");
  expect(exported.text).toMatch(/"sentiment":\s?\{"roles"/);

  expect((await customer.ask("DELETE", `/v1/calls/${id}`)).status).toBe(200);
  expect(await customer.get(`/v1/analysis-runs/${shown.id}`)).toMatchObject({ sentiment: null });
});
