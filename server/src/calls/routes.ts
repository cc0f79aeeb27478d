import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { callRoutes } from "@aftercall/contract/routes/calls.ts";

import { readPage } from "#/db/page.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { Invalid, NotFound } from "#/kernel/errors.ts";
import { emptyPage, pageOf } from "#/kernel/page.ts";

import { aliasesOf } from "./alias-store.ts";
import { campaignsByExternalId } from "./campaign-store.ts";
import { listCalls } from "./list-store.ts";
import { shownMoments } from "./moment-store.ts";
import { factOf } from "./project.ts";
import { type CallRecord, toCall } from "./record.ts";
import { patternOf, termsOf } from "./search.ts";
import { shownTranscript } from "./shown-transcript.ts";
import { loadCall, userNames } from "./store.ts";

/** Reading calls under /v1. Registering one is intake, and lives there. */
export function callHandlers({
  db,
}: {
  db: Db;
}): Omit<Handlers<typeof callRoutes>, "registerCall" | "updateCall" | "getTimeline"> {
  return {
    async listCalls({ tenant, actor, query }) {
      // Somebody who may see one end-customer finds nothing of another by asking for it.
      const businessId = actor.businessId ?? query.business_id ?? null;
      if (query.business_id !== undefined && businessId !== query.business_id) return emptyPage(query);
      if (query.said_by !== undefined && query.q === undefined) {
        throw new Invalid("Nothing to look for", [{ pointer: "?q", detail: "said_by says who said what q looks for" }]);
      }
      return db.inTransaction([tenant], async (tx) => {
        const campaignId = query.campaign === undefined ? null : await campaignNamed(tx, tenant, query.campaign);
        if (query.campaign !== undefined && campaignId === null) return emptyPage(query);
        const filter = {
          status: query.status ?? null,
          provider: query.provider ?? null,
          campaignId,
          businessId,
          outcome: query.outcome ?? null,
          direction: query.direction ?? null,
          from: query.from ?? null,
          to: query.to ?? null,
          startedAfter: timeOf(query.started_after),
          startedBefore: timeOf(query.started_before),
          patterns: query.q === undefined ? null : termsOf(query.q).map(patternOf),
          saidBy: query.said_by ?? null,
        };
        const before = query.cursor === undefined ? null : fromPublicId("call", query.cursor);
        const found = await readPage(tx, query, before, (probe, page) =>
          listCalls(probe, tenant, { ...filter, ...page }),
        );
        const { rows } = found;
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
          found,
          query.limit,
          (row) => toCall(row, aliases.get(row.id) ?? [], (row.userId && users.get(row.userId)) || null),
          (row) => toPublicId("call", row.id),
        );
      });
    },

    async getCall({ tenant, actor, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const row = await callFor(tx, tenant, actor, params.id);
        const aliases = await aliasesOf(tx, [tenant], [row.id]);
        const users = await userNames(tx, tenant, row.userId ? [row.userId] : []);
        return toCall(row, aliases.get(row.id) ?? [], (row.userId && users.get(row.userId)) || null);
      });
    },

    async listMoments({ tenant, actor, params }) {
      return db.inTransaction([tenant], async (tx) => ({
        data: await shownMoments(tx, await callFor(tx, tenant, actor, params.id)),
      }));
    },

    async getTranscript({ tenant, actor, params }) {
      return db.inTransaction([tenant], async (tx) => {
        const row = await callFor(tx, tenant, actor, params.id);
        const transcript = await shownTranscript(tx, row);
        if (!transcript) throw new NotFound("Transcript");
        return transcript;
      });
    },
  };
}

function timeOf(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text);
}

/** Our id of a campaign, by what another system calls it or by its public id. */
async function campaignNamed(tx: Tx, tenant: string, name: string): Promise<string | null> {
  const external = await campaignsByExternalId(tx, tenant, [name]);
  return external.get(name)?.id ?? fromPublicId("campaign", name);
}

/** A call that the caller may see: an embed token those of its end-customer. @throws NotFound */
async function callFor(tx: Tx, tenant: string, actor: Actor, id: string): Promise<CallRecord> {
  const row = await loadCall(tx, tenant, id);
  const isForeign = actor.businessId !== undefined && row && factOf(row.state, "business_id") !== actor.businessId;
  if (!row || isForeign) throw new NotFound("Call");
  return row;
}
