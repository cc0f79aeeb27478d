import type { CostLine } from "@aftercall/contract/analysis/engine.ts";
import type { Money } from "@aftercall/contract/call.ts";

import type { Tx } from "#/db/transaction.ts";

export type EngineKind = "language" | "speech";

export type EngineRow = {
  readonly tenant_id: string;
  readonly kind: EngineKind;
  readonly vendor: string;
  readonly base_url: string;
  readonly model: string;
  readonly sealed_api_key: Buffer | null;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly budget_amount: string | null;
  readonly budget_currency: string | null;
  readonly updated_at: Date;
};

export async function findEngine(tx: Tx, tenantId: string, kind: EngineKind): Promise<EngineRow | null> {
  const [row] = await tx.rows<EngineRow>(
    "select * from engines where tenant_id = $1 and kind = $2",
    [tenantId, kind],
    "engines.find",
  );
  return row ?? null;
}

/** The same, held against other changes until the transaction ends. */
export async function lockEngine(tx: Tx, tenantId: string, kind: EngineKind): Promise<EngineRow | null> {
  const [row] = await tx.rows<EngineRow>("select * from engines where tenant_id = $1 and kind = $2 for update", [
    tenantId,
    kind,
  ]);
  return row ?? null;
}

export async function saveEngine(tx: Tx, row: Omit<EngineRow, "updated_at">): Promise<void> {
  await tx.run(
    `insert into engines (tenant_id, kind, vendor, base_url, model, sealed_api_key, settings, budget_amount, budget_currency)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (tenant_id, kind) do update
        set vendor = $3, base_url = $4, model = $5, sealed_api_key = $6, settings = $7, budget_amount = $8,
            budget_currency = $9, updated_at = clock_timestamp()`,
    [
      row.tenant_id,
      row.kind,
      row.vendor,
      row.base_url,
      row.model,
      row.sealed_api_key,
      JSON.stringify(row.settings),
      row.budget_amount,
      row.budget_currency,
    ],
  );
}

export async function deleteEngine(tx: Tx, tenantId: string, kind: EngineKind): Promise<boolean> {
  return (await tx.run("delete from engines where tenant_id = $1 and kind = $2", [tenantId, kind])) > 0;
}

/** Blocks that are not public and that the operator opened for a tenant. */
export async function openedBlocks(tx: Tx, tenantId: string): Promise<string[]> {
  const rows = await tx.rows<{ block: string }>(
    "select block::text as block from private_targets where tenant_id = $1 order by private_targets.block",
    [tenantId],
  );
  return rows.map(({ block }) => block);
}

export type CostEntry = {
  readonly id: string;
  readonly provider: string;
  readonly model: string | null;
  readonly unit: string;
  readonly quantity: string;
  readonly money: Money | null;
  readonly price_version: string | null;
};

export async function insertCosts(
  tx: Tx,
  spent: { tenantId: string; callId: string | null; runId: string | null; step: string; at: Date },
  entries: readonly CostEntry[],
): Promise<void> {
  await tx.run(
    `insert into engine_costs (tenant_id, id, call_id, run_id, step, provider, model, unit, quantity, amount, currency, at, price_version)
     select $1, e.id, $2, $3, $4, e.provider, e.model, e.unit, e.quantity, e.amount, e.currency, $5, e.price_version
       from unnest($6::uuid[], $7::text[], $8::text[], $9::text[], $10::numeric[], $11::numeric[], $12::text[], $13::text[])
         as e (id, provider, model, unit, quantity, amount, currency, price_version)`,
    [
      spent.tenantId,
      spent.callId,
      spent.runId,
      spent.step,
      spent.at,
      entries.map(({ id }) => id),
      entries.map(({ provider }) => provider),
      entries.map(({ model }) => model),
      entries.map(({ unit }) => unit),
      entries.map(({ quantity }) => quantity),
      entries.map(({ money }) => money?.amount ?? null),
      entries.map(({ money }) => money?.currency ?? null),
      entries.map(({ price_version }) => price_version),
    ],
  );
}

/** What our engines came to for one call, each model and unit once, in the order in which they were first asked. */
export async function costsOfCall(tx: Tx, tenantId: string, callId: string): Promise<CostLine[]> {
  const rows = await tx.rows<
    Omit<CostSum, "day" | "step"> & { readonly is_speech: boolean; readonly price_version: string | null }
  >(
    `select (step = 'transcribe') as is_speech, provider, model, unit, price_version, currency,
            trim_scale(sum(quantity))::text as quantity, trim_scale(sum(amount))::text as amount
       from engine_costs where tenant_id = $1 and call_id = $2
      group by 1, provider, model, unit, price_version, currency order by min(at), provider, model, unit`,
    [tenantId, callId],
  );
  return rows.map(({ is_speech: isSpeech, provider, model, unit, quantity, amount, currency, price_version }) => ({
    component: isSpeech ? "stt" : "llm",
    provider,
    model,
    quantity,
    unit: unit as CostLine["unit"],
    money: amount !== null && currency !== null ? { amount, currency } : null,
    source: "estimated",
    price_version,
  }));
}

/** What steps cost from an instant on, per currency. */
export async function spentSince(
  tx: Tx,
  tenantId: string,
  which: { readonly isSpeech: boolean; readonly from: Date },
): Promise<Money[]> {
  return tx.rows<Money>(
    `select trim_scale(sum(amount))::text as amount, currency from engine_costs
      where tenant_id = $1 and at >= $2 and amount is not null and (step in ('transcribe', 'test_speech')) = $3
      group by currency order by currency`,
    [tenantId, which.from, which.isSpeech],
  );
}

export type CostSum = {
  readonly day: string;
  readonly step: string;
  readonly provider: string;
  readonly model: string | null;
  readonly unit: string;
  readonly quantity: string;
  readonly amount: string | null;
  readonly currency: string | null;
};

export type CostFilter = {
  readonly from: Date;
  readonly to: Date;
  readonly callId: string | null;
  readonly campaignId: string | null;
};

/** By day (UTC), step, model and unit, from one instant to below another; of all calls, of one, or of those of a campaign. */
export async function sumCosts(
  tx: Tx,
  tenantId: string,
  { from, to, callId, campaignId }: CostFilter,
): Promise<CostSum[]> {
  return tx.rows<CostSum>(
    `select to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day, step, provider, model, unit,
            trim_scale(sum(quantity))::text as quantity, trim_scale(sum(amount))::text as amount, currency
       from engine_costs where tenant_id = $1 and at >= $2 and at < $3 and ($4::uuid is null or call_id = $4)
        and ($5::uuid is null or call_id in (select id from calls where tenant_id = $1 and campaign_id = $5))
      group by 1, step, provider, model, unit, currency
      order by 1, step, provider, model, unit, currency`,
    [tenantId, from, to, callId, campaignId],
  );
}
