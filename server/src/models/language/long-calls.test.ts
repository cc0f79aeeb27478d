import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { newestPrompt } from "@aftercall/contract/analysis/prompt.ts";
import { afterEach, expect, test } from "vitest";

import { completion, saidTo, startModel, turnsOf } from "./test-model.ts";

const toClose: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(toClose.splice(0).map((close) => close()));
});

test("topics and feelings of a call that is longer than the context come from notes of its parts, with the turns and quarters of the whole", async () => {
  const asked = { promptVersion: newestPrompt, language: null, responseFormat: "schema", temperature: 0 } as const;
  const settings = { ...asked, contextTokens: 6_000, outputTokensMax: 1_000, timeoutMs: 5_000 };
  const model = await startModel({ settings });
  toClose.push(() => model.close());
  const filler = "we talked about the weather and the garden and the stairs and the neighbours for a while";
  const turns = turnsOf(
    ["customer", "I am so angry about this bill."],
    ...Array.from({ length: 250 }, (_, i) => [i % 2 === 0 ? "agent" : "customer", `Turn ${i}: ${filler}`] as const),
    ["customer", "Now I am happy, thank you so much."],
  );
  const angry = [{ turn: "T0", quote: "I am so angry about this bill" }];
  const happy = [{ turn: "T251", quote: "Now I am happy, thank you" }];
  const calm = { score: 0, evidence: [] };
  model.receiver.answer((request) => {
    if (saidTo(request).includes("take notes")) return completion({ points: [] });
    return completion({
      topics: [{ name: "Billing", evidence: angry }],
      sentiment: {
        agent: { whole: calm, first_quarter: calm, last_quarter: calm },
        customer: {
          whole: calm,
          first_quarter: { score: -4, evidence: angry },
          last_quarter: { score: 3, evidence: happy },
        },
      },
    });
  });
  const plan = PlanDefinition.parse({ topics: { list: [{ name: "Billing" }] }, sentiment: { enabled: true } });
  const { sections } = await model.analyse(turns, ["topics", "sentiment"], { plan });
  expect(sections.topics).toMatchObject({ ok: true, value: { topics: [{ topic: "Billing" }] } });
  expect(sections.sentiment?.ok && sections.sentiment.value.roles[1]).toMatchObject({ value: 0, trend: 7 });
  const requests = model.receiver.received.map(saidTo);
  const [notes, reduced] = [requests.filter((said) => said.includes("take notes")), requests.at(-1) ?? ""];
  expect(notes.length).toBeGreaterThan(2);
  for (const said of notes) expect(said).toMatch(/topic Billing\nwhat somebody felt/);
  expect(reduced).toContain('"first_quarter":"up to T62","last_quarter":"from T189"');
});
