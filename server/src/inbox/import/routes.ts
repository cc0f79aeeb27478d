import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { Import } from "@aftercall/contract/import.ts";
import type { importRoutes } from "@aftercall/contract/routes/imports.ts";

import { record as recordAudit } from "#/audit/record.ts";
import { readPage } from "#/db/page.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { Conflict, NotFound } from "#/kernel/errors.ts";
import { pageOf } from "#/kernel/page.ts";

import { type ImportDeps, type ImportRun, readFile } from "./run.ts";
import { sourceFor } from "./source.ts";
import {
  cancelImport,
  type FailedLine,
  failuresOf,
  importOf,
  type ImportRow,
  insertImport,
  listImports,
  takeUpImport,
} from "./store.ts";

/**
 * Files of past calls: reading them, and how far that has come. `db` is the one of the request, under whose Idempotency-Key the
 * beginning of an import is noted; what is read afterwards goes through that of `importing`.
 */
export function importHandlers({
  db,
  importing,
}: {
  readonly db: Db;
  readonly importing: ImportDeps;
}): Handlers<Omit<typeof importRoutes, "exportTenant">> {
  const { ids, sources } = importing;
  return {
    listImports: ({ tenant, query }) =>
      db.inTransaction([tenant], async (tx) => {
        const before = query.cursor === undefined ? null : fromPublicId("import", query.cursor);
        const rows = await readPage(tx, query, before, (probe, page) => listImports(probe, tenant, page));
        return pageOf(
          rows,
          query.limit,
          (row) => showImport(row, []),
          (row) => toPublicId("import", row.id),
        );
      }),

    getImport: ({ tenant, params }) => db.inTransaction([tenant], (tx) => readImport(tx, tenant, params.id)),

    async importCalls({ tenant, actor, query, body }) {
      const source = await sourceFor(importing, tenant, query.source ?? null);
      const [id, holderId] = [ids.next(), ids.next()];
      const row = { tenant_id: tenant, id, source_id: source.id, is_delivered: query.deliver };
      await db.inTransaction([tenant], async (tx) => {
        const asked = { ...row, actor: `${actor.kind}:${actor.id}`, holder_id: holderId };
        if (!(await insertImport(tx, asked))) throw new Conflict("The source of the import has just been deleted");
        const after = { source: source.slug, is_delivered: query.deliver, state: "running" };
        await audit(tx, { tenant, actor, action: "import.started", id, before: null, after });
      });
      const begun = { lines: 0, applied: 0, repeated: 0, skipped: 0, failed: 0, bytes: 0 };
      return read({ tenantId: tenant, id, holderId, source, isDelivered: query.deliver, begun }, body);
    },

    async resumeImport({ tenant, actor, params, body }) {
      const { id } = params;
      const holderId = ids.next();
      const row = await db.inTransaction([tenant], async (tx) => {
        const found = await existing(tx, tenant, id);
        if (!(await takeUpImport(tx, tenant, id, holderId))) {
          throw new Conflict(`The import is ${found.state}; only an interrupted one goes on`);
        }
        const [before, after] = [{ state: "interrupted" }, { state: "running" }];
        await audit(tx, { tenant, actor, action: "import.resumed", id, before, after });
        return found;
      });
      const source = await sources.byId(tenant, row.source_id);
      if (!source) throw new Conflict("The source of the import is disabled");
      return read({ tenantId: tenant, id, holderId, source, isDelivered: row.is_delivered, begun: begunOf(row) }, body);
    },

    cancelImport: ({ tenant, actor, params: { id } }) =>
      db.inTransaction([tenant], async (tx) => {
        const { state } = await existing(tx, tenant, id);
        if (!(await cancelImport(tx, tenant, id))) throw new Conflict(`The import is ${state} already`);
        await audit(tx, {
          tenant,
          actor,
          action: "import.canceled",
          id,
          before: { state },
          after: { state: "canceled" },
        });
        return readImport(tx, tenant, id);
      }),
  };

  async function read(run: ImportRun, body: AsyncIterable<Uint8Array>): Promise<Import> {
    await readFile(importing, run, body);
    return importing.db.inTransaction([run.tenantId], (tx) => readImport(tx, run.tenantId, run.id));
  }

  function audit(tx: Tx, { id, ...deed }: Deed): Promise<void> {
    return recordAudit(tx, ids, { ...deed, subject: toPublicId("import", id) });
  }
}

type Deed = {
  readonly tenant: string;
  readonly actor: Actor;
  readonly action: string;
  readonly id: string;
  readonly before: object | null;
  readonly after: object;
};

async function existing(tx: Tx, tenant: string, id: string): Promise<ImportRow> {
  const row = await importOf(tx, tenant, id);
  if (!row) throw new NotFound("Import");
  return row;
}

async function readImport(tx: Tx, tenant: string, id: string): Promise<Import> {
  return showImport(await existing(tx, tenant, id), await failuresOf(tx, tenant, id));
}

function begunOf(row: ImportRow): ImportRun["begun"] {
  return {
    lines: Number(row.line_count),
    applied: Number(row.applied_count),
    repeated: Number(row.repeated_count),
    skipped: Number(row.skipped_count),
    failed: Number(row.failed_count),
    bytes: Number(row.byte_count),
  };
}

function showImport(row: ImportRow, failures: readonly FailedLine[]): Import {
  const { lines, applied, repeated, skipped, failed, bytes } = begunOf(row);
  return {
    id: toPublicId("import", row.id),
    source_id: toPublicId("source", row.source_id),
    is_delivered: row.is_delivered,
    state: row.state,
    line_count: lines,
    applied_count: applied,
    repeated_count: repeated,
    skipped_count: skipped,
    failed_count: failed,
    byte_count: bytes,
    failures: failures.map(({ line, reason }) => ({ line, reason })),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}
