import type { Page } from "#/db/page.ts";
import type { Tx } from "#/db/transaction.ts";

export type ErasureRow = {
  readonly id: string;
  readonly call_id: string;
  readonly cause: "request" | "retention" | "late_data";
  readonly actor: string;
  readonly reason: string | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly blob_keys: readonly string[];
  readonly erased_at: Date;
  readonly finished_at: Date | null;
};

const columns = "id, call_id, cause, actor, reason, counts, blob_keys, erased_at, finished_at";

/** Writes down that a call was erased. Where there are no objects to remove it is finished at once. */
export async function insertErasure(
  tx: Tx,
  row: {
    readonly tenantId: string;
    readonly id: string;
    readonly callId: string;
    readonly cause: string;
    readonly actor: string;
    readonly reason: string | null;
    readonly counts: Readonly<Record<string, number>>;
    readonly blobKeys: readonly string[];
  },
): Promise<void> {
  await tx.run(
    `insert into erasures (tenant_id, id, call_id, cause, actor, reason, counts, blob_keys, finished_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, case when cardinality($8::text[]) = 0 then now() end)`,
    [row.tenantId, row.id, row.callId, row.cause, row.actor, row.reason, JSON.stringify(row.counts), row.blobKeys],
  );
}

export async function loadErasure(tx: Tx, tenantId: string, id: string): Promise<ErasureRow | null> {
  const rows = await tx.rows<ErasureRow>(`select ${columns} from erasures where tenant_id = $1 and id = $2`, [
    tenantId,
    id,
  ]);
  return rows[0] ?? null;
}

/** Newest first. */
export async function listErasures(tx: Tx, tenantId: string, { before, limit }: Page): Promise<ErasureRow[]> {
  return tx.rows<ErasureRow>(
    `select ${columns} from erasures where tenant_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [tenantId, before, limit],
  );
}

/** Erasures whose objects are still in the store, oldest first. */
export async function unfinishedErasures(tx: Tx, tenantId: string, limit: number): Promise<ErasureRow[]> {
  return tx.rows<ErasureRow>(
    `select ${columns} from erasures where tenant_id = $1 and finished_at is null order by erased_at limit $2`,
    [tenantId, limit],
  );
}

/** Notes that the last object of an erasure is gone. */
export async function finishErasure(tx: Tx, tenantId: string, id: string): Promise<void> {
  await tx.run("update erasures set finished_at = now(), blob_keys = '{}' where tenant_id = $1 and id = $2", [
    tenantId,
    id,
  ]);
}

/** How many days a tenant keeps things; null: until somebody erases them. */
export type PolicyRow = { readonly recordings_days: number | null; readonly content_days: number | null };

export async function loadPolicy(tx: Tx, tenantId: string): Promise<PolicyRow> {
  const rows = await tx.rows<PolicyRow>(
    "select recordings_days, content_days from retention_policies where tenant_id = $1",
    [tenantId],
  );
  return rows[0] ?? { recordings_days: null, content_days: null };
}

export async function savePolicy(tx: Tx, tenantId: string, policy: PolicyRow): Promise<void> {
  await tx.run(
    `insert into retention_policies (tenant_id, recordings_days, content_days) values ($1, $2, $3)
     on conflict (tenant_id) do update set recordings_days = $2, content_days = $3, updated_at = now()`,
    [tenantId, policy.recordings_days, policy.content_days],
  );
}
