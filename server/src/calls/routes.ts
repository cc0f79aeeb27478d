import type { Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { callRoutes } from "@aftercall/contract/routes/calls.ts";

import type { Db } from "#/db/transaction.ts";
import { NotFound } from "#/kernel/errors.ts";
import { pageOf } from "#/kernel/page.ts";

import { aliasesOf } from "./alias-store.ts";
import { toCall } from "./record.ts";
import { listCalls, loadCall, loadTranscripts, userNames } from "./store.ts";

/** Reading calls under /v1. Registering one is intake, and lives there. */
export function callHandlers({ db }: { db: Db }): Omit<Handlers<typeof callRoutes>, "registerCall"> {
  return {
    async listCalls({ tenant, query }) {
      return db.inTransaction([tenant], async (tx) => {
        const rows = await listCalls(tx, tenant, {
          status: query.status ?? null,
          provider: query.provider ?? null,
          campaignId: query.campaign ?? null,
          before: query.cursor === undefined ? null : fromPublicId("call", query.cursor),
          limit: query.limit + 1,
        });
        const aliases = await aliasesOf(
          tx,
          [tenant],
          rows.map((row) => row.id),
        );
        const users = await userNames(
          tx,
          tenant,
          rows.flatMap((row) => row.userId ?? []),
        );
        return pageOf(
          rows,
          query.limit,
          (row) => toCall(row, aliases.get(row.id) ?? [], (row.userId && users.get(row.userId)) || null),
          (row) => toPublicId("call", row.id),
        );
      });
    },

    async getCall({ tenant, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const row = await loadCall(tx, tenant, params.id);
        if (!row) throw new NotFound("Call");
        const aliases = await aliasesOf(tx, [tenant], [row.id]);
        const users = await userNames(tx, tenant, row.userId ? [row.userId] : []);
        return toCall(row, aliases.get(row.id) ?? [], (row.userId && users.get(row.userId)) || null);
      });
    },

    async getTranscript({ tenant, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const row = await loadCall(tx, tenant, params.id);
        const eventId = row?.state.transcript?.value.event_id;
        const transcript = eventId && (await loadTranscripts(tx, [tenant], [eventId])).get(eventId);
        if (!transcript) throw new NotFound(row ? "Transcript" : "Call");
        return transcript;
      });
    },
  };
}
