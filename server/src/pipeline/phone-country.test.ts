import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { turnsOf } from "#/models/language/test-model.ts";

import { pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
beforeAll(async () => {
  setup = await pipelineSetup();
});
afterAll(() => setup.close());

const definition = PlanDefinition.parse({
  fields: [{ name: "phone", kind: "parser", parser: "phone" }],
  rubric: { criteria: [{ id: "number", name: "Asks for a number", kind: "extraction", field: "phone" }] },
});

/** What was made of a call in which the customer says a number as it is dialled at home. No setting says the country. */
async function analysisOf(facts: { from_number?: string; to_number?: string }, number = "050-123-4567") {
  const tenantId = await setup.makeTenant();
  await setup.publish(tenantId, definition);
  const turns = turnsOf(
    ["agent", "Good morning, this is Dana, what is the number that we can call you at?"],
    ["customer", `You can call me at ${number} tomorrow, please.`],
    ["agent", "Thank you, we will call you tomorrow morning."],
  );
  const bench = setup.bench();
  await bench.run(await setup.makeCall(tenantId, { turns, facts }));
  const settled = bench.changes.find(({ type }) => type === "call.settled");
  return settled && "analysis" in settled ? settled.analysis : null;
}

test("a number said as it is dialled at home is of the country of the call's own numbers", async () => {
  const analysis = await analysisOf({ from_number: "+972521234567", to_number: "+97235551234" });
  expect(analysis?.fields).toMatchObject([{ name: "phone", state: "found", value: "+972501234567" }]);
  expect(analysis?.evaluation).toMatchObject({ score: 100, results: [{ verdict: "met" }] });
});

test("a number that was said and that nobody can read is unknown, and never costs points", async () => {
  const analysis = await analysisOf({});
  expect(analysis?.fields).toMatchObject([{ name: "phone", state: "invalid", value: null }]);
  expect(analysis?.evaluation).toMatchObject({
    score: null,
    coverage: 0,
    result: "unknown",
    results: [{ verdict: "unknown", unknown_reason: "field_invalid", points: null }],
  });
});
