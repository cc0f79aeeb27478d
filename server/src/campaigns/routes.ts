import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import { fromPublicId, toPublicId } from "@aftercall/contract/id.ts";
import type { campaignRoutes } from "@aftercall/contract/routes/campaigns.ts";

import { record as recordAudit } from "#/audit/record.ts";
import { readPage } from "#/db/page.ts";
import type { Db } from "#/db/transaction.ts";
import { notify } from "#/db/wake.ts";
import { Conflict, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { emptyPage, pageOf } from "#/kernel/page.ts";

import { holdDeliveries, releaseDeliveries, setPaused } from "./pause-store.ts";
import { showCampaign } from "./show.ts";
import { type CampaignRow, insertCampaign, listCampaigns, loadCampaign } from "./store.ts";

export type CampaignDeps = {
  readonly db: Db;
  readonly ids: Ids;
  /** Called after messages were paused or go on, so that this process knows at once whom they go to. */
  readonly forgetEndpoints: (tenant: string) => void;
};

/** Campaigns under /v1. */
export function campaignHandlers({
  db,
  ids,
  forgetEndpoints,
}: CampaignDeps): Omit<Handlers<typeof campaignRoutes>, "addCampaignCalls"> {
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
      if (query.business_id !== undefined && businessId !== query.business_id) return emptyPage(query);
      const before = query.cursor === undefined ? null : fromPublicId("campaign", query.cursor);
      const rows = await db.inTransaction([tenant], (tx) =>
        readPage(tx, query, before, (probe, page) => listCampaigns(probe, tenant, { businessId, ...page })),
      );
      return pageOf(rows, query.limit, showCampaign, (row) => toPublicId("campaign", row.id));
    },
    getCampaign: async ({ tenant, actor, params }) => showCampaign(await campaignFor(tenant, actor, params.id)),

    getCampaignProgress: async ({ tenant, actor, params }) =>
      showCampaign(await campaignFor(tenant, actor, params.id)).progress,

    pauseCampaign: ({ tenant, actor, params }) => turn({ tenant, actor }, params.id, true),
    resumeCampaign: ({ tenant, actor, params }) => turn({ tenant, actor }, params.id, false),
  };

  async function campaignFor(tenant: string, actor: Actor, id: string): Promise<CampaignRow> {
    const row = await db.inTransaction([tenant], (tx) => loadCampaign(tx, tenant, id));
    if (!row || (actor.businessId !== undefined && row.business_id !== actor.businessId)) {
      throw new NotFound("Campaign");
    }
    return row;
  }

  /** Pausing what is paused changes nothing, and is no deed. */
  async function turn({ tenant, actor }: { tenant: string; actor: Actor }, id: string, isPaused: boolean) {
    const campaign = await db.inTransaction([tenant], async (tx) => {
      const before = await loadCampaign(tx, tenant, id);
      if (!before) throw new NotFound("Campaign");
      if (!(await setPaused(tx, tenant, id, isPaused))) return showCampaign(before);
      const count = await (isPaused ? holdDeliveries : releaseDeliveries)(tx, tenant, id);
      const row = await loadCampaign(tx, tenant, id);
      if (!row) throw new NotFound("Campaign");
      const after = showCampaign(row);
      const action = isPaused ? "campaign.paused" : "campaign.resumed";
      const sides = { before: showCampaign(before), after, detail: { deliveries: count } };
      await recordAudit(tx, ids, { tenant, actor, action, subject: after.id, ...sides });
      await notify(tx, "endpoints", tenant);
      await notify(tx, "deliveries");
      return after;
    });
    forgetEndpoints(tenant);
    return campaign;
  }
}
