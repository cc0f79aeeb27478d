import type { CostLine } from "@aftercall/contract/analysis/engine.ts";
import type { Money } from "@aftercall/contract/call.ts";

import { factOf } from "#/calls/project.ts";
import type { CallState } from "#/calls/state.ts";
import { billionths, decimalOf } from "#/engines/decimal.ts";

/** What the provider says the parts of a call cost. */
export function providerCosts(state: CallState): CostLine[] {
  return [...(factOf(state, "cost_lines") ?? [])];
}

/**
 * What a call cost in all, per currency: what its provider charges for the whole, else the sum of its lines, and what our engines
 * came to, as far as prices are known.
 */
export function totalCost(state: CallState, ours: readonly CostLine[]): Money[] {
  const charged = factOf(state, "cost");
  const theirs = charged ? [charged] : providerCosts(state).map(({ money }) => money);
  const total = new Map<string, bigint>();
  for (const money of [...theirs, ...ours.map(({ money }) => money)]) {
    if (money) total.set(money.currency, (total.get(money.currency) ?? 0n) + billionths(money.amount));
  }
  return [...total].map(([currency, amount]) => ({ amount: decimalOf(amount), currency }));
}
