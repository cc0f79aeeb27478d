import { toPublicId } from "@aftercall/contract/id.ts";
import type { DataFrame, ServerFrame, StatusFrame } from "@aftercall/contract/live-frames.ts";

import { factOf, project } from "#/calls/project.ts";
import { type CallRecord, isoOf } from "#/calls/record.ts";

import type { AliasPairs, Ending } from "./payload.ts";

/** The two frames of a completion, ready to be sent, always both and in this order. */
export type Pair = { readonly eventId: string; readonly status: string; readonly data: string };

/** Null while a call has not come to its end, or its results are still awaited. */
export function endingOf({ announced }: CallRecord): Ending | null {
  if (announced.includes("call.completed")) return "completed";
  return announced.includes("call.failed") ? "failed" : null;
}

/**
 * Says how a call ended. The same record gives the same pair, whenever it is asked for: clients may fold by `event_id`.
 * `cursor`: from where a client goes on after it; null while it has to be told more first.
 */
export function pairOf(record: CallRecord, aliases: AliasPairs, ending: Ending, cursor: string | null): Pair {
  const { state } = record;
  const { status, outcome, endedAt, durationMs } = project(state);
  const valueOf = (kind: string) => aliases.find((alias) => alias[0] === kind)?.[1] ?? null;
  const callId = toPublicId("call", record.id);
  const named = {
    event_id: `${callId}.${ending}`,
    call_id: callId,
    conversation_id: valueOf("conversation_id"),
    call_sid: valueOf("call_sid"),
  };
  const isCompleted = status === "ended" && outcome !== null && connected.has(outcome);
  const failure = { failure_reason: factOf(state, "failure_reason") ?? factOf(state, "ended_reason") ?? outcome };
  const cost = factOf(state, "cost");
  return {
    eventId: named.event_id,
    status: frame<StatusFrame>({
      type: "status",
      ...named,
      status: isCompleted ? "COMPLETED" : "FAILED",
      at: new Date(endedAt ?? record.updatedAt).toISOString(),
    }),
    data: frame<DataFrame>({
      type: "data",
      ...named,
      data: {
        call_end_time: isoOf(endedAt),
        call_duration_seconds: durationMs === null ? null : Math.floor(durationMs / 1000),
        cost: factOf(state, "cost_credits") ?? (cost && Number(cost.amount)),
        call_successful: factOf(state, "call_successful"),
        transcript_summary: factOf(state, "summary"),
        analysis: factOf(state, "analysis"),
        metadata: factOf(state, "provider_metadata") ?? factOf(state, "metadata"),
        ...(!isCompleted && failure),
      },
      ...(cursor !== null && { cursor }),
    }),
  };
}

/** A call in which somebody or a machine answered (ElevenLabs counts these as completed). */
const connected: ReadonlySet<string> = new Set(["completed", "voicemail", "transferred"]);

export function frame<Frame extends ServerFrame>(content: Frame): string {
  return JSON.stringify(content);
}
