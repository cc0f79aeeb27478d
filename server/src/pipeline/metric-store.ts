import type { MetricSet } from "@aftercall/contract/analysis/metrics.ts";

import { jsonColumn, plainColumn, textColumn } from "#/db/columns.ts";
import type { Tx } from "#/db/transaction.ts";

/** The numbers of a call, the set from audio first. */
export async function loadMetrics(tx: Tx, tenantId: string, callId: string): Promise<MetricSet[]> {
  return tx.rows<MetricSet>(
    `select basis, definitions_version, params, "values" from metric_sets where tenant_id = $1 and call_id = $2 order by basis`,
    [tenantId, callId],
    "pipeline.metrics",
  );
}

export type SavedMetrics = { readonly tenantId: string; readonly callId: string; readonly set: MetricSet };

/** Keeps numbers; newer ones of the same basis take the place of the older. */
export async function saveMetrics(tx: Tx, rows: readonly SavedMetrics[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.run(
    `insert into metric_sets (tenant_id, call_id, basis, definitions_version, params, "values")
     select r.tenant_id, r.call_id, r.basis, r.definitions_version, r.params::json, r."values"::json
       from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])
         as r (tenant_id, call_id, basis, definitions_version, params, "values")
     on conflict (tenant_id, call_id, basis) do update set definitions_version = excluded.definitions_version,
            params = excluded.params, "values" = excluded."values", created_at = now()`,
    [
      plainColumn(rows.map(({ tenantId }) => tenantId)),
      plainColumn(rows.map(({ callId }) => callId)),
      plainColumn(rows.map(({ set }) => set.basis)),
      textColumn(rows.map(({ set }) => set.definitions_version)),
      jsonColumn(rows.map(({ set }) => set.params)),
      jsonColumn(rows.map(({ set }) => set.values)),
    ],
    "pipeline.save-metrics",
  );
}
