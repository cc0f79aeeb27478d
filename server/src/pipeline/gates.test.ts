import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { CallChange } from "#/calls/change.ts";
import { turnsOf } from "#/models/language/test-model.ts";

import { pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
beforeAll(async () => {
  setup = await pipelineSetup();
});
afterAll(() => setup.close());

test.each([
  ["ivr_only", "Welcome to the clinic. For appointments, press one."],
  ["voicemail", "Hi, this is Ben, please leave a message after the tone."],
])("a call in which only a machine answered has a summary and no scorecard: %s", async (reason, heard) => {
  const tenantId = await setup.makeTenant();
  const questions = { id: "q", name: "Asks", kind: "metric", metric: { key: "questions", op: ">=", value: 1 } };
  await setup.publish(tenantId, PlanDefinition.parse({ rubric: { criteria: [questions] } }));
  const turns = turnsOf(["agent", "Hello, may I speak to somebody?"], ["customer", heard]);
  const bench = setup.bench();
  await bench.run(await setup.makeCall(tenantId, { turns }));
  const settled = bench.changes.find((change): change is CallChange => change.type === "call.settled");
  expect(settled?.analysis?.sections).toMatchObject({
    summary: { state: "succeeded" },
    evaluation: { state: "skipped", reason, detail: expect.stringMatching(/./) },
    coaching: { state: "skipped", reason },
  });
});

test("a recording with one channel is one turn where nobody is told apart, and is analysed by its words", async () => {
  const tenantId = await setup.makeTenant();
  const sections = async (role: "unknown" | "agent", text: string) => {
    const bench = setup.bench();
    await bench.run(await setup.makeCall(tenantId, { turns: turnsOf([role, text]) }));
    return bench.changes.find((change): change is CallChange => change.type === "call.settled")?.analysis?.sections;
  };
  const talk = "Hello, how can I help you? I would like a visit tomorrow. In which city are you? I live in Haifa.";
  expect(await sections("unknown", talk)).toMatchObject({ summary: { state: "succeeded" } });
  expect(await sections("agent", talk)).toMatchObject({ summary: { state: "skipped", reason: "too_few_turns" } });
  expect(await sections("unknown", "Hello")).toMatchObject({ summary: { state: "skipped", reason: "too_short" } });
});
