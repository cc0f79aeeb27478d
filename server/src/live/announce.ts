import { toPublicId } from "@aftercall/contract/id.ts";
import type { LiveCall, LiveCallType } from "@aftercall/contract/live.ts";

import type { CallChange, CampaignCompleted, Change, TurnSpoken } from "#/calls/change.ts";
import { factOf, project } from "#/calls/project.ts";
import { type CallRecord, isoOf } from "#/calls/record.ts";
import type { Tx } from "#/db/transaction.ts";

import type { Ending, Payload } from "./change-item.ts";
import { insertChanges, type NewChange } from "./store.ts";

/**
 * Writes what live clients are told of a commit, in the commit itself: one row for each call, whatever happened to it, one
 * for each turn that is being said, one for each campaign that completed.
 */
export async function announce(
  tx: Tx,
  changes: readonly Change[],
  { newId, now }: { readonly newId: () => string; readonly now: () => number },
): Promise<void> {
  const at = new Date(now()).toISOString();
  const rows: NewChange[] = [];
  const ofCalls = new Map<string, CallChange[]>();
  for (const change of changes) {
    switch (change.type) {
      case "turn.spoken":
        rows.push({ ...aboutTurn(change, at), id: newId() });
        break;
      case "campaign.completed":
        rows.push({ ...aboutCampaign(change, at), id: newId() });
        break;
      case "training.requested":
        break;
      default: {
        const name = `${change.tenantId} ${change.after.id}`;
        ofCalls.set(name, [...(ofCalls.get(name) ?? []), change]);
      }
    }
  }
  const calls = [...ofCalls.values()].map((group) => ({ ...aboutCall(group, at), id: newId() }));
  // A turn said in the same moment in which the call began comes after the call.
  await insertChanges(tx, [...calls, ...rows]);
}

type Row = Omit<NewChange, "id">;

function aboutCall(changes: readonly CallChange[], at: string): Row {
  const [first] = changes;
  if (!first) throw new Error("a group of changes is never empty");
  const { tenantId, after, aliases } = first;
  const types = new Set(changes.flatMap(({ type }) => publicTypes.get(type) ?? []));
  const doubles = changes.flatMap(({ type, before }) => (type === "call.merged" && before ? [before.id] : []));
  const ending = endingOf(types);
  const merged = doubles.map((id) => toPublicId("call", id));
  const payload: Payload = {
    item: { types: [...types], at, call: liveCall(after), ...(merged.length > 0 && { merged }) },
    aliases: aliases.map(({ kind, value }) => [kind, value]),
    ...(doubles.length > 0 && { doubles }),
    ...(ending && { ending }),
  };
  return { tenant_id: tenantId, kind: "call", call_id: after.id, campaign_id: after.campaignId, payload };
}

/** `call.awaiting` is between us and the queue. */
const publicTypes: ReadonlyMap<CallChange["type"], LiveCallType> = new Map([
  ["call.started", "call.started"],
  ["call.updated", "call.updated"],
  ["call.ended", "call.ended"],
  ["call.failed", "call.failed"],
  ["call.settled", "call.completed"],
  ["call.merged", "call.merged"],
]);

function endingOf(types: ReadonlySet<LiveCallType>): Ending | null {
  if (types.has("call.completed")) return "completed";
  return types.has("call.failed") ? "failed" : null;
}

function aboutTurn({ tenantId, call, aliases, turn }: TurnSpoken, at: string): Row {
  const payload: Payload = {
    item: { at, call_id: toPublicId("call", call.id), turn },
    aliases: aliases.map(({ kind, value }) => [kind, value]),
  };
  return { tenant_id: tenantId, kind: "transcription", call_id: call.id, campaign_id: call.campaignId, payload };
}

function aboutCampaign({ type, tenantId, campaignId, campaign }: CampaignCompleted, at: string): Row {
  const payload: Payload = { item: { types: [type], at, campaign }, aliases: [] };
  return { tenant_id: tenantId, kind: "campaign", call_id: null, campaign_id: campaignId, payload };
}

function liveCall(record: CallRecord): LiveCall {
  const { state } = record;
  const seen = project(state);
  return {
    id: toPublicId("call", record.id),
    version: record.version,
    provider: record.provider,
    status: seen.status,
    outcome: seen.outcome,
    direction: factOf(state, "direction"),
    from: factOf(state, "from_number"),
    to: factOf(state, "to_number"),
    started_at: isoOf(seen.startedAt),
    answered_at: isoOf(seen.answeredAt),
    ended_at: isoOf(seen.endedAt),
    duration_ms: seen.durationMs,
    campaign_id: record.campaignId && toPublicId("campaign", record.campaignId),
  };
}
