import type { Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { campaignRoutes } from "@aftercall/contract/routes/campaigns.ts";

import { record as recordAudit } from "#/audit/record.ts";
import type { Db } from "#/db/transaction.ts";
import { Conflict, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { pageOf } from "#/kernel/page.ts";

import { showCampaign } from "./show.ts";
import { insertCampaign, listCampaigns, loadCampaign } from "./store.ts";

const nothing = { data: [], next_cursor: null, has_more: false };

/** Campaigns under /v1. */
export function campaignHandlers({ db, ids }: { db: Db; ids: Ids }): Handlers<typeof campaignRoutes> {
  return {
    async createCampaign({ tenant, actor, body }) {
      return db.inTransaction([tenant], async (tx) => {
        const id = ids.next();
        const row = await insertCampaign(tx, {
          tenantId: tenant,
          id,
          externalId: body.external_id ?? null,
          name: body.name,
          businessId: body.business_id ?? null,
          plannedCount: body.planned_count ?? null,
        });
        if (!row) throw new Conflict("A campaign with this external_id exists already");
        const after = showCampaign(row);
        await recordAudit(tx, ids, { tenant, actor, action: "campaign.created", subject: after.id, after });
        return after;
      });
    },
    async listCampaigns({ tenant, actor, query }) {
      const businessId = actor.businessId ?? query.business_id ?? null;
      if (query.business_id !== undefined && businessId !== query.business_id) return nothing;
      const before = query.cursor === undefined ? null : fromPublicId("campaign", query.cursor);
      const rows = await db.inTransaction([tenant], (tx) =>
        listCampaigns(tx, tenant, { businessId, before, limit: query.limit + 1 }),
      );
      return pageOf(rows, query.limit, showCampaign, (row) => toPublicId("campaign", row.id));
    },
    async getCampaign({ tenant, actor, params }) {
      const row = await db.inTransaction([tenant], (tx) => loadCampaign(tx, tenant, params.id));
      if (!row || (actor.businessId !== undefined && row.business_id !== actor.businessId))
        throw new NotFound("Campaign");
      return showCampaign(row);
    },
  };
}
