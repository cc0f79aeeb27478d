import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import type { CallChange } from "#/calls/change.ts";
import { completion, honest, plainCall } from "#/models/language/test-model.ts";

import { pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
beforeAll(async () => {
  setup = await pipelineSetup();
});
afterAll(() => setup.close());
afterEach(() => setup.model.answer({ status: 200 }));

/** What becomes of fields of which each has this condition; the call is inbound, has five turns and lasts a minute. */
async function fieldsWhen(conditions: readonly object[], more: object = {}, withModel = false) {
  const tenantId = await setup.makeTenant();
  const fields = conditions.map((when, n) => ({ name: `f${n}`, kind: "regex", regex: "Beit", when, ...more }));
  await setup.publish(tenantId, PlanDefinition.parse({ fields }));
  const bench = setup.bench({ withModel });
  const ids = await setup.makeCall(tenantId, { turns: plainCall });
  await bench.run(ids);
  const settled = bench.changes.find((change): change is CallChange => change.type === "call.settled");
  return settled?.analysis;
}

test("a field is looked for in the calls that it is for; in others it is skipped, and says for which it is", async () => {
  const analysis = await fieldsWhen([
    {},
    { min_turns: 5, min_duration_ms: 60_000, directions: ["inbound"], outcomes: ["completed"] },
    { min_turns: 6 },
    { min_duration_ms: 60_001 },
    { directions: ["outbound", "web"] },
    { outcomes: ["transferred"] },
  ]);
  expect(analysis?.fields.map(({ name, state, rationale }) => [name, state, rationale])).toEqual([
    ["f0", "found", null],
    ["f1", "found", null],
    ["f2", "skipped", "Looked for in calls of 6 turns and more; this one has 5."],
    ["f3", "skipped", "Looked for in calls of 60.001 s and more."],
    ["f4", "skipped", "Looked for in outbound and web calls."],
    ["f5", "skipped", "Looked for in calls that ended as transferred."],
  ]);
  expect(analysis?.sections.extraction?.state).toBe("succeeded");
});

test("a field of other languages is skipped and says of which; regions of a language are that language", async () => {
  const languagesOf = async (languages: string[]) => (await fieldsWhen([{}], { languages }))?.fields[0];
  expect(await languagesOf(["he", "fr"])).toMatchObject({
    state: "skipped",
    rationale: "Looked for in calls in he, fr; this one is in en.",
    method: "regex",
  });
  expect(await languagesOf(["he", "en-GB"])).toMatchObject({ state: "found", rationale: null });
});

test("a model is not asked for a field that is for other calls", async () => {
  let asked = "";
  setup.model.answer((request) => {
    asked += request.body.toString();
    return completion({ summary: honest.summary });
  });
  const analysis = await fieldsWhen([{ min_turns: 99 }], { kind: "ai", regex: null, description: "secret word" }, true);
  expect(asked).toContain("Beit Shean");
  expect(asked).not.toContain("secret word");
  expect(analysis?.fields).toMatchObject([{ name: "f0", state: "skipped", method: "llm" }]);
});
