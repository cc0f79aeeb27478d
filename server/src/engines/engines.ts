import type { CostLine } from "@aftercall/contract/analysis/engine.ts";
import type { Money } from "@aftercall/contract/call.ts";

import type { Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";
import type { SecretBox } from "#/kernel/secrets.ts";
import type { LanguageEngine } from "#/models/language/engine.ts";
import type { SpeechEngine } from "#/models/speech/engine.ts";

import { billionths } from "./decimal.ts";
import type { DefaultEngines } from "./defaults.ts";
import { openEngine } from "./row.ts";
import * as store from "./store.ts";

/** Which models do a tenant's work, and what they cost. */
export interface Engines {
  /** The tenant's own, else the installation's, else null. */
  loadEngine(tx: Tx, tenantId: string, kind: "language"): Promise<LanguageEngine | null>;
  loadEngine(tx: Tx, tenantId: string, kind: "speech"): Promise<SpeechEngine | null>;
  /** The client that reaches an engine: plain http is for those of the operator, whatever the rule for tenants is. */
  httpFor(engine: { readonly origin: "installation" | "tenant" }): GuardedHttp;
  /** Writes down what was consumed, in the transaction that keeps the answer. Attempts that failed cost too. */
  noteCosts(
    tx: Tx,
    spent: {
      readonly tenantId: string;
      readonly callId: string | null;
      readonly runId?: string | null;
      readonly step: string;
    },
    lines: readonly CostLine[],
  ): Promise<void>;
  /** Whether a tenant has spent its money for this month (UTC): what would cost more is skipped with `cost_limit`. */
  isOverBudget(tx: Tx, tenantId: string, kind: store.EngineKind, nowMs: number): Promise<boolean>;
  /** What was spent in this month (UTC), and how much may be. */
  budgetOf(tx: Tx, tenantId: string, kind: store.EngineKind, nowMs: number): Promise<Budget>;
}

export type Budget = { readonly limit: Money | null; readonly spent: Money[] };

export type EnginesOptions = {
  readonly box: SecretBox;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly defaults: DefaultEngines;
  readonly http: { readonly tenant: GuardedHttp; readonly installation: GuardedHttp };
};

export function createEngines({ box, ids, clock, defaults, http }: EnginesOptions): Engines {
  async function loadEngine(tx: Tx, tenantId: string, kind: store.EngineKind): Promise<never> {
    const row = await store.findEngine(tx, tenantId, kind);
    const engine = row ? openEngine(box, row, await store.openedBlocks(tx, tenantId)) : defaults[kind];
    // The overloads say which of the two it is: the row's own kind decides it.
    return engine as never;
  }

  async function budgetOf(tx: Tx, tenantId: string, kind: store.EngineKind, nowMs: number): Promise<Budget> {
    const row = await store.findEngine(tx, tenantId, kind);
    const spent = await store.spentSince(tx, tenantId, { isSpeech: kind === "speech", from: monthOf(nowMs) });
    return { limit: row ? limitOf(row) : operatorsLimit(defaults), spent };
  }

  return {
    loadEngine,
    httpFor: ({ origin }) => http[origin],
    async noteCosts(tx, { tenantId, callId, runId = null, step }, lines) {
      if (lines.length === 0) return;
      const entries = lines.map((line) => ({ ...line, id: ids.next() }));
      await store.insertCosts(tx, { tenantId, callId, runId, step, at: new Date(clock.now()) }, entries);
    },
    budgetOf,
    async isOverBudget(tx, tenantId, kind, nowMs) {
      const { limit, spent } = await budgetOf(tx, tenantId, kind, nowMs);
      const money = limit && spent.find(({ currency }) => currency === limit.currency);
      return limit !== null && billionths(money?.amount ?? "0") >= billionths(limit.amount);
    },
  };
}

function limitOf({ budget_amount: amount, budget_currency: currency }: store.EngineRow): Money | null {
  return amount !== null && currency !== null ? { amount: trimmedZeros(amount), currency } : null;
}

function operatorsLimit({ monthlyBudget }: DefaultEngines): Money | null {
  return monthlyBudget === null ? null : { amount: monthlyBudget, currency: "USD" };
}

function trimmedZeros(amount: string): string {
  return amount.includes(".") ? amount.replace(/\.?0+$/, "") : amount;
}

function monthOf(nowMs: number): Date {
  const now = new Date(nowMs);
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
}
