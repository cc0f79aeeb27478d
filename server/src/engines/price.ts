import type { CostLine } from "@aftercall/contract/analysis/engine.ts";
import type { LanguagePrice, SpeechPrice } from "@aftercall/contract/engine-settings.ts";

import type { PriceUsage } from "#/models/cost.ts";

import { billionths, decimalOf } from "./decimal.ts";
import { priceOf, prices } from "./prices.ts";

/** What an engine's owner said that it costs; null: by the table. */
export type OwnPrice = LanguagePrice | SpeechPrice | null;

/** Makes cost lines of what was consumed, by the engine's own price or by the table. Without either they have no money. */
export function pricing(own: OwnPrice): PriceUsage {
  return ({ component, provider, model, usage }) => {
    const line = (unit: CostLine["unit"], quantity: number | null, price: UnitPrice | null): CostLine[] =>
      quantity === null || quantity === 0
        ? []
        : [
            {
              component,
              provider,
              model,
              quantity: String(quantity),
              unit,
              money: price && { amount: amountOf(quantity, price), currency: price.currency },
              source: "estimated",
              price_version: price?.version ?? null,
            },
          ];
    if (component === "stt") return line("ms", usage.audio_ms, soundPrice(own, provider, model));
    const { input, cached, output } = tokenPrices(own, provider, model);
    const { input_tokens: read, cached_input_tokens: fromCache, output_tokens: written } = usage;
    // What came from the cache is part of what was read, and cheaper.
    const fresh = read === null ? null : Math.max(0, read - (fromCache ?? 0));
    return [
      ...line("input_token", fresh, input),
      ...line("cached_input_token", fromCache, cached ?? input),
      ...line("output_token", written, output),
    ];
  };
}

/** `amount` for every `per` of the unit. */
type UnitPrice = {
  readonly amount: string;
  readonly per: number;
  readonly currency: string;
  readonly version: string;
};

type TokenPrices = { readonly [Kind in "input" | "cached" | "output"]: UnitPrice | null };

function tokenPrices(own: OwnPrice, provider: string, model: string): TokenPrices {
  const priced = (amount: string | null | undefined, currency: string, version: string): UnitPrice | null =>
    amount == null ? null : { amount, per: 1_000_000, currency, version };
  if (own && "input_per_million" in own) {
    const of = (amount: string | null) => priced(amount, own.currency, ownVersion);
    return {
      input: of(own.input_per_million),
      cached: of(own.cached_input_per_million),
      output: of(own.output_per_million),
    };
  }
  const listed = priceOf(prices.language[provider], model);
  const of = (amount: string | null | undefined) => priced(amount, prices.currency, prices.version);
  return { input: of(listed?.input), cached: of(listed?.cached), output: of(listed?.output) };
}

function soundPrice(own: OwnPrice, provider: string, model: string): UnitPrice | null {
  if (own && "per_minute" in own) {
    return { amount: own.per_minute, per: 60_000, currency: own.currency, version: ownVersion };
  }
  const listed = priceOf(prices.speech[provider], model);
  return listed === undefined
    ? null
    : { amount: listed, per: 60_000, currency: prices.currency, version: prices.version };
}

const ownVersion = "own";

function amountOf(quantity: number, { amount, per }: UnitPrice): string {
  return decimalOf((billionths(amount) * BigInt(Math.round(quantity))) / BigInt(per));
}
