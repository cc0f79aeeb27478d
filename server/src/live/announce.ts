import type { LiveCallType } from "@aftercall/contract/live.ts";

import type { CallChange, CallResult, CampaignCompleted, Change, TurnSpoken } from "#/calls/change.ts";
import { factOf, project } from "#/calls/project.ts";
import type { Tx } from "#/db/transaction.ts";

import type { AliasPairs, CallPayload, CampaignPayload, Ending, TurnPayload } from "./payload.ts";
import { insertChanges, type NewChange } from "./store.ts";

/**
 * Writes what live clients are told of a commit, in the commit itself: one row for each call, whatever happened to it, one
 * for each turn that is being said, one for each campaign that completed. `at`: epoch milliseconds.
 */
export async function announce(tx: Tx, changes: readonly Change[], at: number): Promise<void> {
  const rows: NewChange[] = [];
  const ofCalls = new Map<string, (CallChange | CallResult)[]>();
  for (const change of changes) {
    switch (change.type) {
      case "turn.spoken":
        rows.push(aboutTurn(change, at));
        break;
      case "campaign.completed":
        rows.push(aboutCampaign(change, at));
        break;
      case "training.requested":
      case "training.ready":
      case "evaluation.overridden":
        break;
      default: {
        const group = ofCalls.get(change.after.id);
        if (group) group.push(change);
        else ofCalls.set(change.after.id, [change]);
      }
    }
  }
  // A turn said in the moment in which its call began comes after the call.
  await insertChanges(tx, [...[...ofCalls.values()].map((group) => aboutCall(group, at)), ...rows]);
}

function aboutCall(changes: readonly (CallChange | CallResult)[], at: number): NewChange {
  const [first] = changes;
  if (!first) throw new Error("a group of changes is never empty");
  const { tenantId, after, aliases } = first;
  const { state } = after;
  const seen = project(state);
  const types = new Set(changes.flatMap(({ type }) => publicTypes.get(type) ?? []));
  const doubles = changes.flatMap((one) => (one.type === "call.merged" && one.before ? [one.before.id] : []));
  const payload: CallPayload = {
    types: [...types],
    at,
    version: after.version,
    provider: after.provider,
    status: seen.status,
    outcome: seen.outcome ?? undefined,
    direction: factOf(state, "direction") ?? undefined,
    from: factOf(state, "from_number") ?? undefined,
    to: factOf(state, "to_number") ?? undefined,
    started_at: seen.startedAt ?? undefined,
    answered_at: seen.answeredAt ?? undefined,
    ended_at: seen.endedAt ?? undefined,
    duration_ms: seen.durationMs ?? undefined,
    business_id: factOf(state, "business_id") ?? undefined,
    aliases: pairsOf(aliases),
    doubles: doubles.length > 0 ? doubles : undefined,
    ending: endingOf(types),
    transcript_id: tellsTurns.has(after.provider) ? undefined : changes.find(isTranscript)?.subject,
  };
  return { tenant_id: tenantId, kind: "call", call_id: after.id, campaign_id: after.campaignId, payload };
}

/** Providers whose calls can be heard while they run; of the others what was said comes when its transcript does. */
const tellsTurns: ReadonlySet<string> = new Set(["vapi"]);

function isTranscript(change: CallChange | CallResult): change is CallResult {
  return change.type === "transcript.ready";
}

/** `call.awaiting` is between us and the queue. */
const publicTypes: ReadonlyMap<(CallChange | CallResult)["type"], LiveCallType> = new Map([
  ["call.started", "call.started"],
  ["call.updated", "call.updated"],
  ["call.ended", "call.ended"],
  ["call.failed", "call.failed"],
  ["call.settled", "call.completed"],
  ["call.merged", "call.merged"],
  ["recording.ready", "recording.ready"],
  ["transcript.ready", "transcript.ready"],
  ["analysis.completed", "analysis.completed"],
  ["analysis.failed", "analysis.failed"],
]);

function endingOf(types: ReadonlySet<LiveCallType>): Ending | undefined {
  if (types.has("call.completed")) return "completed";
  return types.has("call.failed") ? "failed" : undefined;
}

function aboutTurn({ tenantId, call, aliases, turn }: TurnSpoken, at: number): NewChange {
  const businessId = factOf(call.state, "business_id") ?? undefined;
  const payload: TurnPayload = { at, turn, business_id: businessId, aliases: pairsOf(aliases) };
  return { tenant_id: tenantId, kind: "transcription", call_id: call.id, campaign_id: call.campaignId, payload };
}

function aboutCampaign({ tenantId, campaignId, campaign }: CampaignCompleted, at: number): NewChange {
  const payload: CampaignPayload = { at, campaign };
  return { tenant_id: tenantId, kind: "campaign", call_id: null, campaign_id: campaignId, payload };
}

function pairsOf(aliases: CallChange["aliases"]): AliasPairs {
  return aliases.map(({ kind, value }) => [kind, value]);
}
