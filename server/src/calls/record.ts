import type { Call, CallRecording } from "@aftercall/contract/call.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import type { Alias, CallView } from "#/providers/provider.ts";

import { factOf, project } from "./project.ts";
import type { Projection } from "./project.ts";
import type { CallState } from "./state.ts";

/** A call as it is kept: what was claimed about it, and what was already said to the outside. */
export type CallRecord = {
  readonly tenantId: string;
  readonly id: string;
  /** The provider that spoke of it first, and its id there. */
  readonly provider: string;
  readonly providerCallId: string;
  readonly state: CallState;
  /** Which of `call.ended`, `call.failed`, `call.completed` have been sent: each once. */
  readonly announced: readonly string[];
  readonly campaignId: string | null;
  readonly userId: string | null;
  /** Set on a record that turned out to be another call's double. */
  readonly mergedInto: string | null;
  /** What it said about people was taken out: whatever else is heard of it moves nothing. */
  readonly isErased: boolean;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/**
 * When a change of a call counts as made: later than the one before it, whatever the clock says that wrote that one. What is
 * answered is what is stored. Epoch milliseconds.
 */
export function changedAt({ updatedAt }: CallRecord, now: number): number {
  return Math.max(now, updatedAt + 1);
}

/** The call as the API and messages show it. */
export function toCall(record: CallRecord, aliases: readonly Alias[], userExternalId: string | null = null): Call {
  const { state } = record;
  const seen: Projection = project(state);
  return {
    id: toPublicId("call", record.id),
    provider: record.provider,
    provider_call_id: record.providerCallId,
    status: seen.status,
    outcome: seen.outcome,
    direction: factOf(state, "direction"),
    from: factOf(state, "from_number"),
    to: factOf(state, "to_number"),
    started_at: isoOf(seen.startedAt),
    answered_at: isoOf(seen.answeredAt),
    ended_at: isoOf(seen.endedAt),
    duration_ms: seen.durationMs,
    ended_reason: factOf(state, "ended_reason"),
    cost: factOf(state, "cost"),
    campaign_id: record.campaignId && toPublicId("campaign", record.campaignId),
    user_id: userExternalId,
    recording: recordingOf(state),
    summary: factOf(state, "summary"),
    language: factOf(state, "language"),
    business_id: factOf(state, "business_id"),
    lead_id: factOf(state, "lead_id"),
    customer_name: factOf(state, "customer_name"),
    agent_name: factOf(state, "agent_name"),
    city: factOf(state, "city"),
    service_category: factOf(state, "service_category"),
    analysis: factOf(state, "analysis"),
    metadata: factOf(state, "metadata") ?? {},
    aliases: aliases.map(({ kind, value }) => ({ kind, value })),
    merged_into: record.mergedInto && toPublicId("call", record.mergedInto),
    version: record.version,
    created_at: new Date(record.createdAt).toISOString(),
    updated_at: new Date(record.updatedAt).toISOString(),
  };
}

/** What became of our own copy, over what its provider announced. */
function recordingOf(state: CallState): CallRecording | null {
  const told = factOf(state, "recording");
  const kept = factOf(state, "kept_recording");
  if (!told && !kept) return null;
  return {
    status: kept?.status ?? told?.status ?? "absent",
    url: told?.url ?? null,
    duration_ms: kept?.duration_ms ?? told?.duration_ms ?? null,
    channels: kept?.channels ?? told?.channels ?? null,
    codec: kept?.codec ?? null,
    reason: kept?.reason ?? null,
  };
}

/** The little that a provider's answer may say. */
export function viewOf(record: CallRecord, aliases: readonly Alias[]): CallView {
  const { status, outcome } = project(record.state);
  return { id: toPublicId("call", record.id), status, outcome, aliases };
}

/** RFC 3339 in UTC with milliseconds, or null. */
export function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
