import type { Handlers } from "@aftercall/contract/api.ts";
import type { sealRoutes } from "@aftercall/contract/routes/erasure.ts";

import { readPage } from "#/db/page.ts";
import type { Db } from "#/db/transaction.ts";
import { pageOf } from "#/kernel/page.ts";

import { listSeals } from "./seal-store.ts";
import { checkLog } from "./seal.ts";

/** The seals over the log, and checking it by them. */
export function sealHandlers({ db }: { db: Db }): Handlers<typeof sealRoutes> {
  return {
    async listSeals({ tenant, query }) {
      const before = query.cursor === undefined ? null : Number(query.cursor);
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) => listSeals(probe, tenant, page)),
      );
      return pageOf(
        rows,
        query.limit,
        ({ number, event_count, root, head, sealed_at }) => ({
          number,
          event_count,
          root: root.toString("hex"),
          head: head.toString("hex"),
          sealed_at: sealed_at.toISOString(),
        }),
        (row) => String(row.number),
      );
    },
    async checkLog({ tenant }) {
      const check = await checkLog(db, tenant);
      return {
        is_intact: check.isIntact,
        seal_count: check.sealCount,
        event_count: check.eventCount,
        broken_at: check.brokenAt,
        head: check.head,
      };
    },
  };
}
