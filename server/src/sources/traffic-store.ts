import { plainColumn } from "#/db/columns.ts";
import type { Tx } from "#/db/transaction.ts";

import type { SourceRef } from "./tally.ts";
import { noTraffic, type Traffic } from "./traffic.ts";

export type TrafficRow = SourceRef & { readonly traffic: Traffic };

/** How sources send, held until the end of the transaction, in one order for everybody; without those that were removed. */
export async function lockTraffic(tx: Tx, sources: readonly SourceRef[]): Promise<TrafficRow[]> {
  const named = [
    plainColumn(sources.map(({ tenantId }) => tenantId)),
    plainColumn(sources.map(({ sourceId }) => sourceId)),
  ];
  await tx.run(
    `insert into source_traffic (tenant_id, source_id)
     select s.tenant_id, s.id from unnest($1::uuid[], $2::uuid[]) as w (tenant_id, id) join sources s using (tenant_id, id)
      order by s.id on conflict do nothing`,
    named,
    "sources.begin-traffic",
  );
  const rows = await tx.rows<Row>(
    `select t.tenant_id, t.source_id, t.last_received_at, t.days, t.minutes
       from unnest($1::uuid[], $2::uuid[]) as w (tenant_id, id) join source_traffic t on t.tenant_id = w.tenant_id and t.source_id = w.id
      order by t.source_id for no key update of t`,
    named,
    "sources.lock-traffic",
  );
  return rows.map(trafficOf);
}

export async function writeTraffic(tx: Tx, rows: readonly TrafficRow[]): Promise<void> {
  await tx.run(
    `update source_traffic t set last_received_at = to_timestamp(n.last_ms / 1000), days = n.days, minutes = n.minutes
       from unnest($1::uuid[], $2::uuid[], $3::float8[], $4::json[], $5::json[]) as n (tenant_id, source_id, last_ms, days, minutes)
      where t.tenant_id = n.tenant_id and t.source_id = n.source_id`,
    [
      rows.map(({ tenantId }) => tenantId),
      rows.map(({ sourceId }) => sourceId),
      rows.map(({ traffic }) => traffic.lastReceivedAt),
      rows.map(({ traffic }) => JSON.stringify(traffic.days)),
      rows.map(({ traffic }) => JSON.stringify(traffic.minutes)),
    ],
    "sources.write-traffic",
  );
}

export type NamedTraffic = TrafficRow & {
  readonly slug: string;
  readonly name: string;
  readonly provider: string;
};

/** How the enabled sources of tenants send. */
export async function trafficOfTenants(tx: Tx, tenantIds: readonly string[]): Promise<NamedTraffic[]> {
  const rows = await tx.rows<Row & Pick<NamedTraffic, "slug" | "name" | "provider">>(
    `select t.tenant_id, t.source_id, t.last_received_at, t.days, t.minutes, s.slug, s.name, s.provider
       from source_traffic t join sources s on s.tenant_id = t.tenant_id and s.id = t.source_id
      where t.tenant_id = any ($1::uuid[]) and s.is_enabled`,
    [tenantIds],
    "sources.traffic-of-tenants",
  );
  return rows.map((row) => ({ ...trafficOf(row), slug: row.slug, name: row.name, provider: row.provider }));
}

type Row = {
  readonly tenant_id: string;
  readonly source_id: string;
  readonly last_received_at: Date | null;
  readonly days: Traffic["days"];
  readonly minutes: Traffic["minutes"];
};

function trafficOf(row: Row): TrafficRow {
  const { days, minutes, last_received_at: last } = row;
  const traffic = { ...noTraffic, lastReceivedAt: last?.getTime() ?? null, days, minutes };
  return { tenantId: row.tenant_id, sourceId: row.source_id, traffic };
}
