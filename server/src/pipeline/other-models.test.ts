import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { CallChange } from "#/calls/change.ts";
import { planFaults } from "#/evaluation/plan-faults.ts";
import { completion, honest, json, plainCall } from "#/models/language/test-model.ts";

import type { Received, Reply } from "../../test/harness/receiver.ts";
import { pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
beforeAll(async () => {
  setup = await pipelineSetup();
});
afterAll(() => setup.close());

const small = "gpt-4o-mini";
const definition = PlanDefinition.parse({
  summary: { enabled: false },
  fields: [
    { name: "city", kind: "ai" },
    { name: "rooms", kind: "ai", schema: { type: "integer" }, llm_override: small },
    { name: "phone", kind: "parser", parser: "phone" },
  ],
});
const { city, rooms } = honest.extraction;
const used = { usage: { prompt_tokens: 1_000, completion_tokens: 100 } };
const modelOf = (request: Received): string => JSON.parse(request.body.toString()).model;
const askedFor = (request: Received): string[] =>
  Object.keys(
    JSON.parse(request.body.toString()).response_format.json_schema.schema.properties.extraction?.properties ?? {},
  );

/** A call that is analysed by a plan, whose models answer as said, in one run after another. */
async function run(
  plan: PlanDefinition,
  other: Reply,
  own: Reply = completion({ extraction: { city } }, used),
  runs = 1,
) {
  const asked: string[] = [];
  setup.model.answer((request) => {
    asked.push(`${modelOf(request)}: ${askedFor(request).join(", ")}`);
    return modelOf(request) === small ? other : own;
  });
  const tenantId = await setup.makeTenant();
  await setup.publish(tenantId, plan);
  const bench = setup.bench({
    withModel: true,
    languagePrice: {
      currency: "USD",
      input_per_million: "1000",
      cached_input_per_million: null,
      output_per_million: "0",
    },
  });
  const ids = await setup.makeCall(tenantId, { turns: plainCall });
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
  const { fields = [], sections } = settled?.analysis ?? {};
  return {
    asked: asked.toSorted(),
    section: sections?.extraction,
    costs: settled && "costs" in settled ? settled.costs : [],
    fields: fields.map(({ name, state, value, model, rationale }) => [name, state, value, model ?? null, rationale]),
  };
}

test("a field that names another model is asked of that one alone, and each model has costs of its own", async () => {
  const { asked, fields, section, costs } = await run(definition, completion({ extraction: { rooms } }, used));
  expect(asked).toEqual([`${small}: rooms`, "test-model: city"]);
  expect(fields).toEqual([
    ["city", "found", "Beit Shean", null, null],
    ["rooms", "found", 4, small, null],
    ["phone", "not_mentioned", null, null, null],
  ]);
  expect(section).toMatchObject({ state: "succeeded", engine: { kind: "llm", model: "test-model" } });
  const money = costs
    ?.filter(({ unit }) => unit === "input_token")
    .map(({ model, money: sum }) => [model, sum?.amount]);
  // The owner's price is that of the engine's own model; the other one has that of the table.
  expect(money?.toSorted()).toEqual([
    [small, "0.00015"],
    ["test-model", "1"],
  ]);
});

test.each([
  ["there is none of that name", json({ error: { message: "No such model" } }, 404), "engine_rejected"],
  ["it answers nonsense", completion("I would rather not."), "invalid_output"],
  ["it withholds its answer", completion("", { finish: "content_filter" }), "content_filtered"],
])("where %s that field alone has failed, and says why", async (_, answer, reason) => {
  const { fields, section } = await run(definition, answer);
  expect(fields[0]?.slice(0, 3)).toEqual(["city", "found", "Beit Shean"]);
  expect(fields[1]?.slice(0, 4)).toEqual(["rooms", "failed", null, small]);
  expect(fields[1]?.[4]).not.toBe("");
  expect(section).toMatchObject({ state: "partial", reason, engine: { model: "test-model" } });
  expect(section?.detail).toContain(`The model ${small} gave nothing for rooms`);
});

test("a model that is overloaded is asked again, the other one is not; in the end its field alone has failed", async () => {
  const { asked, fields, section } = await run(definition, json({ error: { message: "busy" } }, 503), undefined, 5);
  expect(asked).toEqual([...Array.from({ length: 5 }, () => `${small}: rooms`), "test-model: city"]);
  expect(fields.map(([name, state]) => [name, state])).toEqual([
    ["city", "found"],
    ["rooms", "failed"],
    ["phone", "not_mentioned"],
  ]);
  expect(section).toMatchObject({ state: "partial", reason: "engine_unavailable" });
});

test("where the engine's own model fails, the fields of the other one are there all the same", async () => {
  const refused = json({ error: { message: "No such model" } }, 404);
  const { fields, section } = await run(definition, completion({ extraction: { rooms } }, used), refused);
  expect(fields.map(([name, state, value]) => [name, state, value])).toEqual([
    ["city", "skipped", null],
    ["rooms", "found", 4],
    ["phone", "not_mentioned", null],
  ]);
  expect(section).toMatchObject({ state: "partial", reason: "engine_rejected" });
});

test("where every field names another model, the engine's own is not asked", async () => {
  const fields = [{ name: "rooms", kind: "ai", schema: { type: "integer" }, llm_override: small }];
  const plan = PlanDefinition.parse({ summary: { enabled: false }, fields });
  const found = await run(plan, completion({ extraction: { rooms } }, used));
  expect([found.asked, found.fields]).toEqual([[`${small}: rooms`], [["rooms", "found", 4, small, null]]]);
  expect(found.section).toMatchObject({ state: "succeeded", engine: { kind: "llm", model: small } });
  const failed = await run(plan, json({ error: { message: "No such model" } }, 404));
  expect(failed.section).toMatchObject({ state: "failed", reason: "engine_rejected" });
});

test("a plan that names a model for a field that none finds is not published", () => {
  const fields = [{ name: "phone", kind: "parser", parser: "phone", llm_override: small }];
  expect(planFaults(PlanDefinition.parse({ fields }))).toEqual([
    {
      pointer: "/definition/fields/0/llm_override",
      detail: "Only a field of the kind ai is found by a language model",
    },
  ]);
});
