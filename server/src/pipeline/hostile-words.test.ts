import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { turnsOf } from "#/models/language/test-model.ts";

import { pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
beforeAll(async () => {
  setup = await pipelineSetup();
});
afterAll(() => setup.close());

/** Every stage that looks into the words with patterns: masking, fields, phrases, the summary. */
const definition = PlanDefinition.parse({
  redaction: {
    mode: "mask_outbound",
    types: ["phone", "email", "card", "iban", "il_id", "birth_date", "address", "name"],
    names: ["aa aa"],
  },
  fields: [
    { name: "nested", kind: "regex", regex: "(a+)+$" },
    { name: "twins", kind: "regex", regex: "(a|aa)+b" },
    { name: "city", kind: "gazetteer", entries: [{ value: "Haifa" }] },
    { name: "phone", kind: "parser", parser: "phone" },
    { name: "email", kind: "parser", parser: "email" },
    { name: "money", kind: "parser", parser: "money" },
  ],
  trackers: [{ id: "word", name: "Word", any_of: ["aaa ab"] }],
});

test.each([
  ["50 kB of one letter", `${"a".repeat(50_000)}!`],
  ["50 kB of digits", `${"1".repeat(50_000)}!`],
  ["50 kB of digits and spaces", `${"1 ".repeat(25_000)}!`],
  ["50 kB of the beginnings of addresses", `${"a.a@".repeat(12_500)}!`],
  ["50 kB of vowel points", `${"ב\u05B0".repeat(16_000)}!`],
])("redos (H191): %s in what a caller says costs no more than 5 s in all stages together", async (_what, text) => {
  const bench = setup.bench();
  const tenantId = await setup.makeTenant();
  await setup.publish(tenantId, definition);
  const turns = turnsOf(["agent", "Good morning, how can I help you?"], ["customer", `I want this: ${text}`]);
  const ids = await setup.makeCall(tenantId, { turns });
  const before = process.cpuUsage();
  await bench.run(ids);
  const { user, system } = process.cpuUsage(before);
  expect(bench.told()).toContain("call.settled");
  expect(bench.bugs).toEqual([]);
  expect((user + system) / 1_000).toBeLessThan(5_000);
});
