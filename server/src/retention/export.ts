import type { Actor } from "@aftercall/contract/api.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import type { ExportLine } from "@aftercall/contract/import.ts";

import { record as recordAudit } from "#/audit/record.ts";
import type { Db } from "#/db/transaction.ts";
import type { Ids } from "#/kernel/ids.ts";

import { idColumns, type Section, sections } from "./export-sections.ts";
import { nextRows } from "./export-store.ts";

export type ExportDeps = { readonly db: Db; readonly ids: Ids };

export type ExportInput = {
  readonly tenantId: string;
  readonly actor: Actor;
  /** The `cursor` of the last line that somebody has; null: from the start. */
  readonly after: string | null;
};

const rowsOfPage = 200;

/**
 * Everything that a tenant owns, line by line. Each page is read in a transaction of its own, and only when the one before was
 * taken: a slow reader holds neither memory nor a snapshot. What is written meanwhile may be in it or not.
 */
export async function* exportLines({ db, ids }: ExportDeps, input: ExportInput): AsyncGenerator<ExportLine> {
  const { tenantId, actor } = input;
  const place = placeIn(input.after);
  await db.inTransaction([tenantId], (tx) =>
    recordAudit(tx, ids, {
      ...{ tenant: tenantId, actor, action: "tenant.exported", subject: toPublicId("tenant", tenantId) },
      detail: { after: place?.kind ?? null },
    }),
  );
  const start = place
    ? Math.max(
        0,
        sections.findIndex(({ kind }) => kind === place.kind),
      )
    : 0;
  for (const [i, section] of sections.slice(start).entries()) {
    let key: readonly string[] | null = i === 0 && place ? place.key : null;
    const limit = section.rows ?? rowsOfPage;
    for (;;) {
      const after = key;
      // oxlint-disable-next-line no-await-in-loop -- A page begins where the one before ended.
      const rows = await db.inTransaction([tenantId], (tx) => nextRows(tx, tenantId, section, after, limit));
      for (const row of rows) {
        const cursor = JSON.stringify([section.kind, ...row.key]);
        yield { kind: section.kind, cursor, data: shown(section, row.row) };
        key = row.key;
      }
      if (rows.length < limit) break;
    }
  }
}

function placeIn(after: string | null): { kind: string; key: readonly string[] } | null {
  if (after === null) return null;
  const [kind = "", ...key] = JSON.parse(after) as string[];
  return { kind, key };
}

/** The row without secrets, with the ids of the API and bytes as base64. */
function shown({ omit = [], bytes = [], id }: Section, text: string): Record<string, unknown> {
  const row = JSON.parse(text) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(row).flatMap(([column, value]) => {
      if (omit.includes(column)) return [];
      if (typeof value !== "string") return [[column, value]];
      if (bytes.includes(column)) return [[column, Buffer.from(value.replace(/^\\x/, ""), "hex").toString("base64")]];
      const kind = column === "id" ? id : idColumns[column];
      return [[column, kind && uuid.test(value) ? toPublicId(kind, value) : value]];
    }),
  );
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
