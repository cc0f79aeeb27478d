import type { Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { Import } from "@aftercall/contract/import.ts";
import type { importRoutes } from "@aftercall/contract/routes/imports.ts";

import type { Db, Tx } from "#/db/transaction.ts";
import { NotFound } from "#/kernel/errors.ts";

import { type FailedLine, failuresOf, importOf, type ImportRow, listImports } from "./store.ts";

/** How far imports have come. */
export function importHandlers({ db }: { readonly db: Db }): Handlers<typeof importRoutes> {
  return {
    listImports: ({ tenant, query }) =>
      db.inTransaction([tenant], async (tx) => {
        const before = query.cursor === undefined ? null : fromPublicId("import", query.cursor);
        const rows = await listImports(tx, tenant, query.limit + 1, before);
        const data = rows.slice(0, query.limit).map((row) => showImport(row, []));
        const hasMore = rows.length > query.limit;
        return { data, has_more: hasMore, next_cursor: hasMore ? (data.at(-1)?.id ?? null) : null };
      }),
    getImport: ({ tenant, params }) => db.inTransaction([tenant], (tx) => readImport(tx, tenant, params.id)),
  };
}

/** @throws NotFound */
export async function readImport(tx: Tx, tenant: string, id: string): Promise<Import> {
  const row = await importOf(tx, tenant, id);
  if (!row) throw new NotFound("Import");
  return showImport(row, await failuresOf(tx, tenant, id));
}

function showImport(row: ImportRow, failures: readonly FailedLine[]): Import {
  return {
    id: toPublicId("import", row.id),
    source_id: toPublicId("source", row.source_id),
    is_delivered: row.is_delivered,
    state: row.state,
    line_count: Number(row.line_count),
    applied_count: Number(row.applied_count),
    repeated_count: Number(row.repeated_count),
    skipped_count: Number(row.skipped_count),
    failed_count: Number(row.failed_count),
    byte_count: Number(row.byte_count),
    failures: failures.map(({ line, reason }) => ({ line, reason })),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}
