import { expect, test } from "vitest";

import { chargedLines } from "./costs.ts";
import { costLinesOf as elevenLabsLines } from "./elevenlabs/costs.ts";
import { costLinesOf } from "./vapi/costs.ts";

const vapi = (message: Record<string, unknown>) =>
  costLinesOf({ type: "end-of-call-report", id: null, callId: "c", at: null, message, call: {}, artifact: {} });

test("one price for several quantities is told once", () => {
  const model = { provider: "openai", model: "gpt-4o" };
  const lines = vapi({ costs: [{ type: "model", model, promptTokens: 813, completionTokens: 187, cost: 0.0031 }] });
  expect(lines?.map(({ quantity, unit, money }) => [quantity, unit, money?.amount ?? null])).toEqual([
    ["1", "call", "0.0031"],
    ["813", "input_token", null],
    ["187", "output_token", null],
  ]);
});

test("the older breakdown counts where there is no list, without the parts that cost nothing", () => {
  const costBreakdown = { stt: 0.0075, tts: 0.0021, ttsCharacters: 118, chat: 0, total: 0.0096 };
  expect(vapi({ costs: [], costBreakdown })).toMatchObject([
    { component: "stt", unit: "call", money: { amount: "0.0075" } },
    { component: "tts", unit: "char", quantity: "118", money: { amount: "0.0021" } },
  ]);
});

test("credits are no money: the price of all of them stands only where they are not told apart", () => {
  expect(elevenLabsLines({ cost: 296, cost_fiat: 0.0429 })).toMatchObject([
    { quantity: "296", unit: "credit", money: { amount: "0.0429", currency: "USD" } },
  ]);
  const charging = { call_charge: 275, llm_charge: 21, llm_price: 0.0021 };
  expect(elevenLabsLines({ cost: 296, cost_fiat: 0.0429, charging })).toMatchObject([
    { component: "platform", quantity: "275", money: null },
    { component: "llm", quantity: "21", money: { amount: "0.0021" } },
  ]);
});

test.each([
  ["nothing", {}],
  ["no list", { costs: "many" }],
  ["entries that are none", { costs: [null, 7, { type: "model", cost: "much" }] }],
])("what cannot be read is not there: %s", (_, message) => {
  expect(vapi(message)).toBeNull();
});

test("a list without end is cut", () => {
  const cost = { component: "other", provider: "p", cost: 1, consumed: [] } as const;
  expect(chargedLines(Array.from({ length: 1000 }, () => cost))).toHaveLength(60);
});
