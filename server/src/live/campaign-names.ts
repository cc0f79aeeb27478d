import { campaignsByExternalId } from "#/calls/campaign-store.ts";
import type { Db } from "#/db/transaction.ts";

import type { Identified } from "./identify.ts";
import type { Visitor } from "./socket.ts";

/** Our ids of campaigns by the names that another system has for them: those that a visitor may see. */
export async function campaignsNamed(
  db: Db,
  { tenantId, businessId }: Visitor,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (names.length === 0) return new Map();
  const found = await db.inTransaction([tenantId], (tx) => campaignsByExternalId(tx, tenantId, names));
  return new Map(
    [...found].flatMap(([name, campaign]) =>
      businessId === null || campaign.businessId === businessId ? [[name, campaign.id] as const] : [],
    ),
  );
}

/** The same, and the campaigns that go by these identifiers in another system. */
export async function withCampaigns(
  db: Db,
  visitor: Visitor,
  wanted: readonly Identified[],
): Promise<readonly Identified[]> {
  const mayBeCampaigns = wanted.filter(({ kind }) => kind === "name" || kind === "uuid" || kind === "campaign");
  const campaigns = await campaignsNamed(
    db,
    visitor,
    mayBeCampaigns.map(({ identifier }) => identifier),
  );
  return wanted.map((one) => {
    const id = campaigns.get(one.identifier);
    return id === undefined ? one : { ...one, kind: "campaign", keys: [...one.keys, `campaign ${id}`] };
  });
}
