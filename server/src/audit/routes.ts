import type { Handlers } from "@aftercall/contract/api.ts";
import type { AuditEntry } from "@aftercall/contract/audit.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { identityRoutes } from "@aftercall/contract/routes/identity.ts";

import { readPage } from "#/db/page.ts";
import type { Db } from "#/db/transaction.ts";
import { pageOf } from "#/kernel/page.ts";

import { type AuditRow, listAudit } from "./store.ts";

/** Reading the audit log under /v1. Nothing writes it but the changes themselves. */
export function auditHandlers({ db }: { db: Db }): Handlers<Pick<typeof identityRoutes, "listAudit">> {
  return {
    async listAudit({ tenant, query }) {
      const before = query.cursor === undefined ? null : fromPublicId("audit_entry", query.cursor);
      const filter = { subject: query.subject ?? null, action: query.action ?? null, actor: query.actor ?? null };
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) => listAudit(probe, tenant, { ...filter, ...page })),
      );
      return pageOf(rows, query.limit, show, (row) => toPublicId("audit_entry", row.id));
    },
  };
}

function show({ id, at, actor, ...row }: AuditRow): AuditEntry {
  const [kind = "", ...rest] = actor.split(":");
  return { id: toPublicId("audit_entry", id), at: at.toISOString(), actor: { kind, id: rest.join(":") }, ...row };
}
