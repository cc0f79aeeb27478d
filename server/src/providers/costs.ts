import type { CostLine } from "@aftercall/contract/analysis/engine.ts";

import { listOf, moneyOf, numberOf } from "./read.ts";

/** What a provider says one part of a call cost. */
export type Charged = {
  readonly component: CostLine["component"];
  readonly provider: string;
  readonly model?: string | null;
  /** Dollars; absent or null where it gives no price for this part alone. */
  readonly cost?: unknown;
  /** What was consumed, in the units that it counts. */
  readonly consumed: readonly (readonly [unit: CostLine["unit"], quantity: unknown])[];
};

/**
 * Lines of what a provider says a call cost; null where it says nothing. Money that pays for several quantities, or for none
 * that is named, stands on a line of one `call`; the quantities follow without money, so that money is never counted twice.
 */
export function chargedLines(charges: readonly Charged[]): CostLine[] | null {
  const lines = charges.flatMap(linesOf).slice(0, linesMax);
  return lines.length > 0 ? lines : null;
}

/** The list a provider sends is not longer than this; whatever is. */
const linesMax = 60;

function linesOf({ component, provider, model = null, cost, consumed }: Charged): CostLine[] {
  const money = moneyOf(cost, "USD");
  const base = { component, provider, model, source: "provider", price_version: null } as const;
  const quantities = consumed.flatMap(([unit, value]) => {
    const quantity = quantityOf(value);
    return quantity === null ? [] : [{ ...base, quantity, unit }];
  });
  const [only] = quantities;
  if (only && (quantities.length === 1 || money === null)) return quantities.map((line) => ({ ...line, money }));
  if (money === null) return [];
  return [{ ...base, quantity: "1", unit: "call", money }, ...quantities.map((line) => ({ ...line, money: null }))];
}

/** More than nothing, as decimal text. */
function quantityOf(value: unknown): string | null {
  const number = numberOf(value);
  return number !== null && number > 0 ? (moneyOf(number, "")?.amount ?? null) : null;
}

/** The entries of a provider's list, no more than it can have. */
export function chargesIn(value: unknown): readonly unknown[] {
  return listOf(value).slice(0, linesMax);
}
