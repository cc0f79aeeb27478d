import type { Page } from "#/db/page.ts";
import type { Tx } from "#/db/transaction.ts";
import type { Alias } from "#/providers/provider.ts";

import { importLimits } from "./limits.ts";

export type ImportRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly source_id: string;
  readonly is_delivered: boolean;
  readonly state: "running" | "done" | "interrupted" | "canceled";
  readonly line_count: string;
  readonly applied_count: string;
  readonly repeated_count: string;
  readonly skipped_count: string;
  readonly failed_count: string;
  readonly byte_count: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly finished_at: Date | null;
};

export type FailedLine = { readonly line: number; readonly reason: string };

/** Begins an import; false when its source is gone. */
export async function insertImport(
  tx: Tx,
  row: Pick<ImportRow, "tenant_id" | "id" | "source_id" | "is_delivered"> & {
    readonly actor: string;
    readonly holder_id: string;
  },
): Promise<boolean> {
  const count = await tx.run(
    `insert into imports (tenant_id, id, source_id, is_delivered, actor, holder_id)
     select tenant_id, $2, id, $4, $5, $6 from sources where tenant_id = $1 and id = $3 for key share`,
    [row.tenant_id, row.id, row.source_id, row.is_delivered, row.actor, row.holder_id],
  );
  return count > 0;
}

/** Takes up an import that has broken off; false when it is running, done or canceled. */
export async function takeUpImport(tx: Tx, tenantId: string, id: string, holderId: string): Promise<boolean> {
  const count = await tx.run(
    `update imports set state = 'running', holder_id = $3, updated_at = now(),
            claimed_by = nullif(current_setting('app.process', true), '')::int
      where tenant_id = $1 and id = $2 and (${stateNow}) = 'interrupted'`,
    [tenantId, id, holderId],
  );
  return count > 0;
}

/** Whoever reads the file at the moment sees it when it next writes down how far it is. False for one that is over. */
export async function cancelImport(tx: Tx, tenantId: string, id: string): Promise<boolean> {
  const count = await tx.run(
    `update imports set state = 'canceled', holder_id = null, updated_at = now(), finished_at = now()
      where tenant_id = $1 and id = $2 and state in ('running', 'interrupted')`,
    [tenantId, id],
  );
  return count > 0;
}

export type Progress = {
  lines: number;
  applied: number;
  repeated: number;
  skipped: number;
  failed: number;
  bytes: number;
};

/** Writes down how far an import has come, and which lines failed since; false when somebody else holds it, or nobody may. */
export async function saveProgress(
  tx: Tx,
  { tenantId, id, holderId }: { readonly tenantId: string; readonly id: string; readonly holderId: string },
  state: ImportRow["state"],
  progress: Progress,
  failures: readonly FailedLine[],
): Promise<boolean> {
  const count = await tx.run(
    `update imports set state = $3, line_count = $4, applied_count = $5, repeated_count = $6, skipped_count = $7, failed_count = $8,
            byte_count = $9, updated_at = now(), finished_at = case when $3 = 'done' then now() end
      where tenant_id = $1 and id = $2 and holder_id = $10`,
    [
      tenantId,
      id,
      state,
      progress.lines,
      progress.applied,
      progress.repeated,
      progress.skipped,
      progress.failed,
      progress.bytes,
      holderId,
    ],
  );
  if (count === 0) return false;
  if (failures.length === 0) return true;
  await tx.run(
    `insert into import_failures (tenant_id, import_id, line, reason)
     select $1, $2, f.line, f.reason from unnest($3::bigint[], $4::text[]) as f (line, reason) on conflict do nothing`,
    [tenantId, id, failures.map((one) => one.line), failures.map((one) => one.reason)],
  );
  return true;
}

/** An import that says it is running and whose process is gone, or that has said nothing for a while, has broken off. */
const stateNow = `case when state = 'running' and (claimed_by <> all (array(select live_processes()))
  or updated_at < now() - ${importLimits.silentMs} * interval '1 millisecond') then 'interrupted' else state end`;
const columns = `tenant_id, id, source_id, is_delivered, line_count, applied_count, repeated_count, skipped_count, failed_count, byte_count,
  created_at, updated_at, finished_at, ${stateNow} as state`;

export async function importOf(tx: Tx, tenantId: string, id: string): Promise<ImportRow | null> {
  const [row] = await tx.rows<ImportRow>(`select ${columns} from imports where tenant_id = $1 and id = $2`, [
    tenantId,
    id,
  ]);
  return row ?? null;
}

export async function listImports(tx: Tx, tenantId: string, { before, limit }: Page): Promise<ImportRow[]> {
  return tx.rows<ImportRow>(
    `select ${columns} from imports where tenant_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [tenantId, before, limit],
  );
}

export async function failuresOf(tx: Tx, tenantId: string, id: string): Promise<FailedLine[]> {
  return tx.rows<FailedLine>(
    "select line::int as line, reason from import_failures where tenant_id = $1 and import_id = $2 order by import_failures.line",
    [tenantId, id],
  );
}

/** Those of these names whose call is told to endpoints already: what is imported about it does not silence it. */
export async function toldNames(tx: Tx, tenantId: string, names: readonly Alias[]): Promise<Set<string>> {
  if (names.length === 0) return new Set();
  const rows = await tx.rows<{ kind: string; value: string }>(
    `select a.kind, a.value from unnest($2::text[], $3::text[]) as n (kind, value)
       join call_aliases a on a.tenant_id = $1 and a.kind = n.kind and a.value = n.value
       join calls c on c.tenant_id = a.tenant_id and c.id = a.call_id
      where c.state #> '{facts,is_quiet}' is null`,
    [tenantId, names.map((one) => one.kind), names.map((one) => one.value)],
  );
  return new Set(rows.map((row) => `${row.kind} ${row.value}`));
}

/** The oldest enabled source of a provider. */
export async function sourceOfProvider(tx: Tx, tenantId: string, provider: string): Promise<string | null> {
  const [row] = await tx.rows<{ id: string }>(
    "select id from sources where tenant_id = $1 and provider = $2 and is_enabled order by created_at, id limit 1",
    [tenantId, provider],
  );
  return row?.id ?? null;
}
