import fc from "fast-check";
import { expect, test } from "vitest";

import { unknownUsage } from "#/models/usage.ts";

import { billionths, decimalOf } from "./decimal.ts";
import { pricing } from "./price.ts";
import { priceOf, prices } from "./prices.ts";

const usage = { ...unknownUsage, input_tokens: 1_000_000, cached_input_tokens: 400_000, output_tokens: 2_000 };
const llm = { component: "llm", provider: "openai", model: "gpt-4o-mini", usage } as const;

test("tokens from the cache are priced apart from those that were read anew", () => {
  expect(pricing(null)(llm)).toMatchObject([
    { unit: "input_token", quantity: "600000", money: { amount: "0.09", currency: "USD" } },
    { unit: "cached_input_token", quantity: "400000", money: { amount: "0.03" } },
    {
      unit: "output_token",
      quantity: "2000",
      money: { amount: "0.0012" },
      source: "estimated",
      price_version: prices.version,
    },
  ]);
});

test("the dated version of a model has its price, and a model that only begins alike has none", () => {
  const of = (model: string) => pricing(null)({ ...llm, model })[0]?.money;
  expect(of("gpt-4o-mini-2024-07-18")).toEqual({ amount: "0.09", currency: "USD" });
  expect(of("gpt-4o-mini-realtime")).toBeNull();
  expect(priceOf(prices.language["openai"], "gpt-9")).toBeUndefined();
});

test("a model without a price has quantities and no money; what nobody told is no line", () => {
  expect(pricing(null)({ ...llm, provider: "llm.example.com", usage: { ...unknownUsage, output_tokens: 5 } })).toEqual([
    {
      component: "llm",
      provider: "llm.example.com",
      model: "gpt-4o-mini",
      quantity: "5",
      unit: "output_token",
      money: null,
      source: "estimated",
      price_version: null,
    },
  ]);
});

test("an owner's price wins, in the owner's currency", () => {
  const own = { currency: "EUR", input_per_million: "1", cached_input_per_million: null, output_per_million: "2.5" };
  expect(pricing(own)(llm).map(({ money }) => money?.amount)).toEqual(["0.6", "0.4", "0.005"]);
  const [line] = pricing({ currency: "ILS", per_minute: "0.02" })({
    component: "stt",
    provider: "x",
    model: "y",
    usage: { ...unknownUsage, audio_ms: 90_000 },
  });
  expect(line).toMatchObject({ quantity: "90000", unit: "ms", money: { amount: "0.03", currency: "ILS" } });
});

test("every price in the table is one that can be computed with", () => {
  const all = [
    ...Object.values(prices.language).flatMap((models) => Object.values(models).flatMap((one) => Object.values(one))),
    ...Object.values(prices.speech).flatMap((models) => Object.values(models)),
  ];
  expect(all.filter((price) => price !== null && billionths(price) <= 0n)).toEqual([]);
});

test("money is added without loss, and written as it is read", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), (value) => {
      expect(billionths(decimalOf(value))).toBe(value);
    }),
  );
  expect(decimalOf(billionths("0.1") + billionths("0.2"))).toBe("0.3");
  expect(() => billionths("1e3")).toThrow(RangeError);
});
