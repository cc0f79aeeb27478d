import type { CallDirection, CallOutcome, CallStatus } from "@aftercall/contract/call.ts";

import { outcomeWord } from "#/providers/livekit/outcome-word.ts";

/** What the outcome route has to know of a call. Times are epoch milliseconds; null where it is not known. */
export type CallForOutcome = {
  /** Public id, `call_…`. */
  readonly id: string;
  /** The user's id in the system that made the token. */
  readonly userId: string;
  readonly direction: CallDirection | null;
  readonly status: CallStatus;
  readonly outcome: CallOutcome | null;
  readonly agentConfigId: string | null;
  readonly livekitRoomName: string | null;
  readonly livekitRoomSid: string | null;
  /** E.164, of the other party. */
  readonly phoneNumber: string | null;
  readonly sipCallId: string | null;
  readonly durationMs: number | null;
  readonly recordingUrl: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/**
 * The CallLog of the Call Outcomes API 1.0.0: its names, letter case and order. Nullable fields are always there; what a call
 * of another provider cannot have is left out.
 */
export function callLogOf(call: CallForOutcome): Record<string, unknown> {
  return withoutUndefined({
    id: call.id,
    userId: call.userId,
    agentConfigId: call.agentConfigId ?? undefined,
    livekitRoomName: call.livekitRoomName ?? undefined,
    livekitRoomSid: call.livekitRoomSid ?? undefined,
    direction: call.direction === "outbound" ? "outbound" : "inbound",
    phoneNumber: call.phoneNumber ?? undefined,
    sipCallId: call.sipCallId ?? undefined,
    status: statusWord(call.status),
    outcome: isRunning(call.status) ? null : outcomeWord(call.outcome),
    duration: isRunning(call.status) || call.durationMs === null ? null : Math.floor(call.durationMs / 1000),
    recordingUrl: call.recordingUrl,
    metadata: call.metadata,
    startedAt: timeOf(call.startedAt) ?? undefined,
    endedAt: isRunning(call.status) ? null : timeOf(call.endedAt),
    createdAt: timeOf(call.createdAt),
    updatedAt: timeOf(call.updatedAt),
  });
}

function isRunning(status: CallStatus): boolean {
  return status === "queued" || status === "ringing" || status === "in_progress";
}

/** The API knows three statuses: a call that was withdrawn or never reported its end has failed. */
function statusWord(status: CallStatus): "active" | "ended" | "failed" {
  if (isRunning(status)) return "active";
  return status === "ended" ? "ended" : "failed";
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function withoutUndefined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
