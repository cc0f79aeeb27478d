import { fromPublicId } from "@aftercall/contract/id.ts";

import type { CallChange, CampaignCompleted, Change } from "#/calls/change.ts";
import { factOf, project } from "#/calls/project.ts";
import type { CallRecord } from "#/calls/record.ts";
import type { Tx } from "#/db/transaction.ts";

import { showCampaign } from "./show.ts";
import { campaignsNamed, existingCampaigns, loadCampaign, moveProgress } from "./store.ts";
import type { ProgressDelta } from "./store.ts";

/** Counts calls for their campaigns: progress moves, and completion happens, in the transaction of the call's own change. */
export async function countForCampaigns(tx: Tx, changes: readonly Change[]): Promise<CampaignCompleted[]> {
  const moves = new Map<string, Move>();
  let receivedAt = Infinity;
  for (const change of changes) {
    if (!isCallMove(change)) continue;
    receivedAt = Math.min(receivedAt, change.receivedAt);
    count(moves, change.before, -1);
    if (change.type !== "call.merged") count(moves, change.after, 1);
  }
  const deltas: ProgressDelta[] = [...moves.values()].filter(isMoved);
  const completed: CampaignCompleted[] = [];
  for (const { tenant_id: tenantId, id, completed_at, is_completed_quietly } of await moveProgress(tx, deltas)) {
    const row = await loadCampaign(tx, tenantId, id);
    if (!row) continue;
    const completedAt = completed_at.getTime();
    completed.push({
      type: "campaign.completed",
      tenantId,
      campaignId: id,
      campaign: showCampaign(row),
      isQuiet: is_completed_quietly,
      completedAt,
      receivedAt,
    });
  }
  return completed;
}

/**
 * Our campaigns by the names calls use: our own public id, or the id another system gave, which makes the campaign where it
 * is new. Keys of the answer: `tenant\0name`.
 */
export async function resolveCampaigns(
  tx: Tx,
  wanted: readonly { tenantId: string; name: string }[],
  newId: () => string,
): Promise<Map<string, string>> {
  const resolved = new Map<string, string>();
  const external = new Map<string, { tenantId: string; name: string; newId: string }>();
  const own = await ownCampaigns(tx, wanted);
  for (const { tenantId, name } of wanted) {
    const id = own.get(`${tenantId}\u0000${name}`);
    if (id) resolved.set(`${tenantId}\u0000${name}`, id);
    else external.set(`${tenantId}\u0000${name}`, { tenantId, name, newId: newId() });
  }
  if (external.size === 0) return resolved;
  const sorted = [...external].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  for (const row of await campaignsNamed(tx, sorted)) resolved.set(`${row.tenant_id}\u0000${row.external_id}`, row.id);
  return resolved;
}

/** Those names that are public ids of campaigns that exist. */
async function ownCampaigns(
  tx: Tx,
  wanted: readonly { tenantId: string; name: string }[],
): Promise<Map<string, string>> {
  const ids = wanted.flatMap(({ tenantId, name }) => {
    const id = name.startsWith("cmp_") ? fromPublicId("campaign", name) : null;
    return id ? [{ tenantId, name, id }] : [];
  });
  const existing = await existingCampaigns(tx, ids);
  return new Map(
    ids.filter(({ id }) => existing.has(id)).map(({ tenantId, name, id }) => [`${tenantId}\u0000${name}`, id]),
  );
}

type Move = {
  tenantId: string;
  campaignId: string;
  total: number;
  isTold: boolean;
  statuses: Record<string, number>;
  outcomes: Record<string, number>;
};

/** Each call shows up once per commit as started, updated or erased, and each double that went away once as merged. */
function isCallMove(change: Change): change is CallChange {
  return moving.has(change.type);
}

const moving: ReadonlySet<Change["type"]> = new Set(["call.started", "call.updated", "call.erased", "call.merged"]);

function count(moves: Map<string, Move>, record: CallRecord | null, by: number): void {
  if (!record?.campaignId) return;
  const { tenantId, campaignId } = record;
  const move = moves.get(campaignId) ?? { tenantId, campaignId, total: 0, isTold: false, statuses: {}, outcomes: {} };
  moves.set(campaignId, move);
  move.isTold ||= factOf(record.state, "is_quiet") === null;
  const { status, outcome } = project(record.state);
  move.total += by;
  move.statuses[status] = (move.statuses[status] ?? 0) + by;
  if (outcome) move.outcomes[outcome] = (move.outcomes[outcome] ?? 0) + by;
}

function isMoved({ total, statuses, outcomes }: Move): boolean {
  return total !== 0 || [...Object.values(statuses), ...Object.values(outcomes)].some((n) => n !== 0);
}
