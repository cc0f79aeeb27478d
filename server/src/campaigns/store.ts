import type { CallOutcome, CallStatus } from "@aftercall/contract/call.ts";

import type { Tx } from "#/db/transaction.ts";

/** How the counters of one campaign move. */
export type ProgressDelta = {
  readonly tenantId: string;
  readonly campaignId: string;
  readonly total: number;
  /** Whether one of the calls that moved is told to endpoints: none of those that were imported is, unless that was asked for. */
  readonly isTold: boolean;
  readonly statuses: Readonly<Partial<Record<CallStatus, number>>>;
  readonly outcomes: Readonly<Partial<Record<CallOutcome, number>>>;
};

/** A campaign whose last call has just ended. */
export type Completed = {
  readonly tenant_id: string;
  readonly id: string;
  readonly completed_at: Date;
  /** True: none of its calls is told to endpoints. */
  readonly is_completed_quietly: boolean;
};

/**
 * Moves the counters, in sorted order, and completes campaigns by what the update returns: no call is active, there is at
 * least one, and no planned contact is left. Because the counter row is locked, of two last calls that end at once exactly
 * one sees the end (counting rows instead, neither would). What completed without a word completes once more when a call ends
 * in it that endpoints are told of.
 */
export async function moveProgress(tx: Tx, deltas: readonly ProgressDelta[]): Promise<Completed[]> {
  if (deltas.length === 0) return [];
  const rows = deltas
    .toSorted((a, b) => (a.campaignId < b.campaignId ? -1 : 1))
    .map(({ tenantId, campaignId, total, isTold, statuses, outcomes }) => ({
      tenant_id: tenantId,
      campaign_id: campaignId,
      is_told: isTold,
      total_count: total,
      ...Object.fromEntries(statusNames.map((name) => [`${name}_count`, statuses[name] ?? 0])),
      ...Object.fromEntries(outcomeNames.map((name) => [`${name}_outcome_count`, outcomes[name] ?? 0])),
    }));
  await tx.run(
    `select 1 from campaign_progress where (tenant_id, campaign_id) in
       (select r.tenant_id, r.campaign_id from jsonb_to_recordset($1::jsonb) as r (tenant_id uuid, campaign_id uuid))
      order by tenant_id, campaign_id for update`,
    [JSON.stringify(rows)],
    "campaigns.lock-progress",
  );
  return tx.rows<Completed>(
    `with moved as (
       update campaign_progress p set ${counters.map((c) => `${c} = p.${c} + d.${c}`).join(", ")}
         from jsonb_to_recordset($1::jsonb) as d (tenant_id uuid, campaign_id uuid, is_told boolean, ${counters.map((c) => `${c} int`).join(", ")})
        where p.tenant_id = d.tenant_id and p.campaign_id = d.campaign_id
        returning p.*, d.is_told)
     update campaigns c set status = 'completed', completed_at = now(), updated_at = now(),
            is_completed_quietly = not m.is_told and not exists (
              select from calls k where k.tenant_id = c.tenant_id and k.campaign_id = c.id and k.merged_into is null
                 and k.state #> '{facts,is_quiet}' is null)
       from moved m
      where c.tenant_id = m.tenant_id and c.id = m.campaign_id
        and (c.completed_at is null or (c.is_completed_quietly and m.is_told))
        and m.total_count > 0 and m.total_count >= coalesce(c.planned_count, 0)
        and m.queued_count + m.ringing_count + m.in_progress_count = 0
      returning c.tenant_id, c.id, c.completed_at, c.is_completed_quietly`,
    [JSON.stringify(rows)],
    "campaigns.move-progress",
  );
}

const statusNames = ["queued", "ringing", "in_progress", "ended", "failed", "canceled", "timeout"] as const;
const outcomeNames = ["completed", "no_answer", "busy", "failed", "voicemail", "canceled", "transferred"] as const;
const counters = [
  "total_count",
  ...statusNames.map((n) => `${n}_count`),
  ...outcomeNames.map((n) => `${n}_outcome_count`),
];

/** Campaigns by the name another system has for them; a name nobody knows becomes a campaign, so that no call's is lost. */
export async function campaignsNamed(
  tx: Tx,
  names: readonly { readonly tenantId: string; readonly name: string; readonly newId: string }[],
): Promise<{ tenant_id: string; external_id: string; id: string }[]> {
  const tenants = names.map((n) => n.tenantId);
  const externals = names.map((n) => n.name);
  const find = () =>
    tx.rows<{ tenant_id: string; external_id: string; id: string }>(
      `select c.tenant_id, c.external_id, c.id from campaigns c
         join unnest($1::uuid[], $2::text[]) as n (tenant_id, external_id) using (tenant_id, external_id)`,
      [tenants, externals],
      "campaigns.named",
    );
  const known = await find();
  if (known.length === names.length) return known;
  await tx.run(
    `with made as (
       insert into campaigns (tenant_id, id, external_id, name)
       select n.tenant_id, n.id, n.name, n.name from unnest($1::uuid[], $2::uuid[], $3::text[]) as n (tenant_id, id, name)
       on conflict (tenant_id, external_id) do nothing returning tenant_id, id)
     insert into campaign_progress (tenant_id, campaign_id) select tenant_id, id from made`,
    [tenants, names.map((n) => n.newId), externals],
  );
  return find();
}

/** Which of these campaigns exist. */
export async function existingCampaigns(
  tx: Tx,
  wanted: readonly { tenantId: string; id: string }[],
): Promise<Set<string>> {
  if (wanted.length === 0) return new Set();
  const rows = await tx.rows<{ id: string }>(
    "select id from campaigns where tenant_id = any ($1::uuid[]) and id = any ($2::uuid[])",
    [wanted.map((one) => one.tenantId), wanted.map((one) => one.id)],
  );
  return new Set(rows.map((row) => row.id));
}

export type CampaignRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly external_id: string | null;
  readonly name: string;
  readonly business_id: string | null;
  readonly planned_count: number | null;
  readonly status: "running" | "completed";
  readonly completed_at: Date | null;
  readonly deliveries_paused_at: Date | null;
  readonly created_at: Date;
} & Readonly<
  Record<
    `${(typeof statusNames)[number]}_count` | "total_count" | `${(typeof outcomeNames)[number]}_outcome_count`,
    number
  >
>;

const campaignColumns =
  "c.tenant_id, c.id, c.external_id, c.name, c.business_id, c.planned_count, c.status, c.completed_at, c.deliveries_paused_at, c.created_at, " +
  counters.map((name) => `p.${name}`).join(", ");

/** A new campaign with its counters at nought; null when the external id is taken. */
export async function insertCampaign(
  tx: Tx,
  row: {
    tenantId: string;
    id: string;
    externalId: string | null;
    name: string;
    businessId?: string | null;
    plannedCount: number | null;
  },
): Promise<CampaignRow | null> {
  const made = await tx.run(
    `with made as (
       insert into campaigns (tenant_id, id, external_id, name, planned_count, business_id) values ($1, $2, $3, $4, $5, $6)
       on conflict (tenant_id, external_id) do nothing returning tenant_id, id)
     insert into campaign_progress (tenant_id, campaign_id) select tenant_id, id from made`,
    [row.tenantId, row.id, row.externalId, row.name, row.plannedCount, row.businessId ?? null],
  );
  return made === 0 ? null : loadCampaign(tx, row.tenantId, row.id);
}

export async function loadCampaign(tx: Tx, tenantId: string, id: string): Promise<CampaignRow | null> {
  const rows = await tx.rows<CampaignRow>(
    `select ${campaignColumns} from campaigns c join campaign_progress p on p.tenant_id = c.tenant_id and p.campaign_id = c.id
      where c.tenant_id = $1 and c.id = $2`,
    [tenantId, id],
  );
  return rows[0] ?? null;
}

/** Campaigns of a tenant, newest first. */
export async function listCampaigns(
  tx: Tx,
  tenantId: string,
  { businessId, before, limit }: { businessId: string | null; before: string | null; limit: number },
): Promise<CampaignRow[]> {
  return tx.rows<CampaignRow>(
    `select ${campaignColumns} from campaigns c join campaign_progress p on p.tenant_id = c.tenant_id and p.campaign_id = c.id
      where c.tenant_id = $1 and ($2::uuid is null or c.id < $2) and ($4::text is null or c.business_id = $4) order by c.id desc limit $3`,
    [tenantId, before, limit, businessId],
  );
}
