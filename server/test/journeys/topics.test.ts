import { afterAll, beforeAll, expect, test } from "vitest";

import { completion, json, saidTo } from "#/models/language/test-model.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer } from "../harness/customer.ts";
import { publishPlan, readCall, runAgain, withModel } from "../harness/read-call.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const said = [
  ["agent", "Good morning, how can I help you?"],
  ["customer", "I want a refund, my number is +972 50 765 4321, and where is my parcel?"],
  ["agent", "The refund takes a week, the parcel comes tomorrow."],
] as const;
const definition = {
  summary: { enabled: false },
  trackers: [{ id: "refund", name: "Refund", topic: "Money", any_of: ["refund"] }],
  topics: { list: [{ name: "Delivery" }] },
};
const topics = [
  { name: "Delivery", evidence: [{ turn: "T1", quote: "where is my parcel" }] },
  { name: "Money", evidence: [{ turn: "T1", quote: "I want a refund" }] },
];

test("what a call is about stands in the API and in call.completed, by trackers and by the model, each labelled", async () => {
  const { customer, model } = await withModel(app, definition);
  model.answer(completion({ topics }));
  const { shown, told } = await readCall(customer, said);
  expect(model.received).toHaveLength(1);
  expect(shown.topics).toMatchObject([
    { name: "Money", methods: ["tracker", "llm"], count: 2, evidence: [{ turn: 1 }, { turn: 2 }] },
    { name: "Delivery", methods: ["llm"], count: 1, evidence: [{ turn: 1, quote: "where is my parcel" }] },
  ]);
  expect(shown.sections.topics).toMatchObject({ state: "succeeded", engine: { kind: "llm", model: "gpt-4o-mini" } });
  expect([told.topics, told.sections.topics]).toEqual([shown.topics, shown.sections.topics]);
  expect((await customer.get("/v1/costs")).data).toMatchObject([{ step: "analyse" }, { step: "analyse" }]);
});

test("without a model the trackers' topics stay, and the section says what is missing", async () => {
  const customer = await makeCustomer(app);
  await publishPlan(customer, definition);
  const { shown, told } = await readCall(customer, said);
  expect(shown.topics).toMatchObject([{ name: "Money", methods: ["tracker"], count: 2 }]);
  expect(told.sections.topics).toMatchObject({ state: "partial", reason: "no_engine", engine: { kind: "builtin" } });
});

test.each([
  ["is gone", json({ error: { message: "No such model" } }, 404), "engine_rejected"],
  ["answers nonsense", completion("topics: everything"), "invalid_output"],
])(
  "the trackers' topics stay where the model %s, and the section says why there are no others",
  async (_, answer, reason) => {
    const { customer, model } = await withModel(app, definition);
    model.answer(answer);
    const { shown, told } = await readCall(customer, said);
    expect(shown.topics).toMatchObject([{ name: "Money", methods: ["tracker"] }]);
    expect(told.sections.topics).toMatchObject({ state: "partial", reason });
  },
);

test("a plan that only a model can name the topics of says so where none answers; one without topics has none", async () => {
  const { customer, model } = await withModel(app, { ...definition, trackers: [] });
  model.answer(json({ error: { message: "No such model" } }, 404));
  const { shown } = await readCall(customer, said);
  expect([shown.topics, shown.sections.topics]).toMatchObject([[], { state: "failed", reason: "engine_rejected" }]);

  const other = await makeCustomer(app);
  expect((await readCall(other, said)).shown.sections.topics).toMatchObject({ state: "skipped", reason: "no_topics" });
});

test.each(["mask_before_llm", "mask_at_rest", "mask_outbound"])(
  "with %s no number that was said stands in a topic, and the model gets it only where the plan lets it",
  async (mode) => {
    const free = { ...definition, topics: { free: true }, redaction: { mode, types: ["phone"] } };
    const { customer, model } = await withModel(app, free);
    model.answer((request) => {
      const number = /\[PHONE_1\]|\+972[ \d]+/.exec(saidTo(request))?.[0] ?? "";
      const evidence = [{ turn: "T1", quote: `my number is ${number}` }];
      return completion({
        topics: [
          { name: `Number ${number}`, evidence },
          { name: `Gone ${number}`, evidence: [] },
        ],
      });
    });
    const { shown, told } = await readCall(customer, said);
    expect(/765.?4321/.test(saidTo(model.received[0]))).toBe(mode === "mask_outbound");
    expect(shown.topics).toContainEqual(expect.objectContaining({ name: "Number [PHONE_1]" }));
    expect(shown.sections.topics.detail).toContain("Gone [PHONE_1]");
    expect(JSON.stringify([shown, told])).not.toMatch(/765.?4321/);
  },
);

test("a re-run asks for topics alone, compares them with those before, and what is erased has none", async () => {
  const { customer, model, planId } = await withModel(app, definition);
  model.answer(completion({ topics: [] }));
  const { id, shown } = await readCall(customer, said);
  expect(shown.topics).toMatchObject([{ name: "Money", methods: ["tracker"] }]);

  model.answer(completion({ topics }));
  await customer.post(`/v1/analysis-plans/${planId}/draft`, undefined);
  const list = [{ name: "Delivery", description: "Where something is" }];
  await customer.ask("PATCH", `/v1/analysis-plans/${planId}`, { definition: { ...definition, topics: { list } } });
  await customer.post(`/v1/analysis-plans/${planId}/publish`, undefined);
  const path = await runAgain(customer, { plan_id: planId, sections: ["topics"], filter: { call_ids: [id] } });
  expect(await customer.get(`${path}/comparison`)).toMatchObject({
    topics: [
      { name: "Money", compared: 1, agreement: 1 },
      { name: "Delivery", compared: 1, agreement: 0 },
    ],
    changed: [
      {
        topics: [
          { name: "Money", is_same: true, before: true, after: true },
          { name: "Delivery", is_same: false, before: false, after: true },
        ],
      },
    ],
  });
  const [{ run_id }] = (await customer.get(`${path}/calls`)).data;
  const run = await customer.get(`/v1/analysis-runs/${run_id}`);
  expect(Object.keys(run.sections).toSorted()).toEqual(["topics", "tracking"]);

  expect((await customer.ask("DELETE", `/v1/calls/${id}`)).status).toBe(200);
  expect((await customer.get(`/v1/analysis-runs/${run_id}`)).topics).toEqual([]);
});
