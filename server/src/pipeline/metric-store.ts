import type { MetricSet } from "@aftercall/contract/analysis/metrics.ts";

import type { Tx } from "#/db/transaction.ts";

/** The numbers of a call, the set from audio first. */
export async function loadMetrics(tx: Tx, tenantId: string, callId: string): Promise<MetricSet[]> {
  return tx.rows<MetricSet>(
    `select basis, definitions_version, params, "values" from metric_sets where tenant_id = $1 and call_id = $2 order by basis`,
    [tenantId, callId],
    "pipeline.metrics",
  );
}

/** Keeps numbers; newer ones of the same basis take the place of the older. */
export async function saveMetrics(tx: Tx, tenantId: string, callId: string, sets: readonly MetricSet[]): Promise<void> {
  if (sets.length === 0) return;
  await tx.run(
    `insert into metric_sets (tenant_id, call_id, basis, definitions_version, params, "values")
     select $1, $2, r.* from json_to_recordset($3::json) as r (basis text, definitions_version text, params json, "values" json)
     on conflict (tenant_id, call_id, basis) do update set definitions_version = excluded.definitions_version,
            params = excluded.params, "values" = excluded."values", created_at = now()`,
    [tenantId, callId, JSON.stringify(sets)],
    "pipeline.save-metrics",
  );
}
