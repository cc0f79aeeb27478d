import type { Tx } from "#/db/transaction.ts";
import { cleanText, jsonbText } from "#/kernel/jsonb.ts";
import type { RouteKind } from "#/providers/provider.ts";

import type { Refused } from "./quarantine.ts";

export async function insertQuarantined(
  tx: Tx,
  row: Refused & {
    readonly id: string;
    readonly headers: Readonly<Record<string, readonly string[]>>;
    readonly sealed: Buffer;
  },
): Promise<void> {
  await tx.run(
    `insert into quarantine (tenant_id, id, source_id, provider, route, reason, detail, method, url, headers, sealed_headers, body, received_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, to_timestamp($13::double precision / 1000))`,
    [
      row.tenantId,
      row.id,
      row.sourceId,
      row.provider,
      row.route,
      row.reason,
      row.detail && cleanText(row.detail).slice(0, 500),
      row.request.method,
      cleanText(row.request.url).slice(0, 4000),
      jsonbText(row.headers),
      row.sealed,
      row.request.body,
      row.receivedAt,
    ],
  );
}

/** Drops the oldest rows of a source beyond the newest `keep`. */
export async function pruneQuarantine(tx: Tx, tenantId: string, sourceId: string, keep: number): Promise<void> {
  await tx.run(
    `delete from quarantine where tenant_id = $1 and source_id = $2 and id <
       (select id from quarantine where tenant_id = $1 and source_id = $2 order by id desc offset $3 limit 1)`,
    [tenantId, sourceId, keep - 1],
  );
}

export type QuarantineRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly source_id: string;
  readonly provider: string;
  readonly route: RouteKind;
  readonly reason: string;
  readonly detail: string | null;
  readonly method: string;
  readonly url: string;
  readonly sealed_headers: Buffer;
  readonly body: Buffer;
  readonly body_bytes: number;
  readonly received_at: Date;
  readonly replayed_at: Date | null;
  readonly replay_result: string | null;
};

const shown =
  "tenant_id, id, source_id, provider, route, reason, detail, method, url, length(body) as body_bytes, received_at, replayed_at, replay_result";

/** Refused requests, newest first; without bodies. */
export async function listQuarantined(
  tx: Tx,
  tenantId: string,
  filter: { readonly sourceId: string | null; readonly before: string | null; readonly limit: number },
): Promise<Omit<QuarantineRow, "body" | "sealed_headers">[]> {
  return tx.rows(
    `select ${shown} from quarantine where tenant_id = $1 and ($2::uuid is null or source_id = $2) and ($3::uuid is null or id < $3)
      order by id desc limit $4`,
    [tenantId, filter.sourceId, filter.before, filter.limit],
  );
}

/** One refused request with its bytes; null when the tenant has none of that id. */
export async function loadQuarantined(tx: Tx, tenantId: string, id: string): Promise<QuarantineRow | null> {
  const rows = await tx.rows<QuarantineRow>(
    `select ${shown}, body, sealed_headers from quarantine where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

/** Ids of what a source refused and nobody has accepted since, oldest first. */
export async function openQuarantine(tx: Tx, tenantId: string, sourceId: string, limit: number): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(
    `select id from quarantine where tenant_id = $1 and source_id = $2 and coalesce(replay_result, '') <> 'accepted' order by id limit $3`,
    [tenantId, sourceId, limit],
  );
  return rows.map((row) => row.id);
}

export async function noteReplay(tx: Tx, tenantId: string, id: string, result: string): Promise<void> {
  await tx.run("update quarantine set replayed_at = now(), replay_result = $3 where tenant_id = $1 and id = $2", [
    tenantId,
    id,
    result,
  ]);
}
