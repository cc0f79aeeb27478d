import type { Costs, CostsQuery } from "@aftercall/contract/engine-settings.ts";
import type { z } from "zod";

import type { Tx } from "#/db/transaction.ts";
import { Invalid } from "#/kernel/errors.ts";

import { billionths, decimalOf } from "./decimal.ts";
import { sumCosts } from "./store.ts";

/** What a tenant's engines consumed from one day (UTC) to another, both included; by default in this month. */
export async function costsBetween(
  tx: Tx,
  tenantId: string,
  query: z.output<typeof CostsQuery>,
  nowMs: number,
): Promise<z.input<typeof Costs>> {
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const { from = `${today.slice(0, 8)}01`, to = today } = query;
  const [start, last] = [dayOf(from, "/from"), dayOf(to, "/to")];
  if (start > last) throw refused("/from", "The first day is after the last");
  if (last - start > daysMax * dayMs) throw refused("/from", `At most ${daysMax} days at once`);
  const { call_id: callId = null, campaign_id: campaignId = null } = query;
  const sums = await sumCosts(tx, tenantId, { from: new Date(start), to: new Date(last + dayMs), callId, campaignId });
  const total = new Map<string, bigint>();
  for (const { amount, currency } of sums) {
    if (amount !== null && currency !== null) total.set(currency, (total.get(currency) ?? 0n) + billionths(amount));
  }
  return {
    from,
    to,
    data: sums.map(({ amount, currency, ...sum }) => ({
      ...sum,
      money: amount !== null && currency !== null ? { amount, currency } : null,
    })),
    total: [...total].map(([currency, amount]) => ({ amount: decimalOf(amount), currency })),
  };
}

const dayMs = 86_400_000;
const daysMax = 400;

function dayOf(text: string, pointer: string): number {
  const at = Date.parse(`${text}T00:00:00.000Z`);
  // 2026-02-31 is parsed as a day in March.
  if (Number.isNaN(at) || !new Date(at).toISOString().startsWith(text)) throw refused(pointer, `No such day: ${text}`);
  return at;
}

function refused(pointer: string, detail: string): Invalid {
  return new Invalid(detail, [{ pointer, detail }]);
}
