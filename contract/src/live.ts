import { z } from "zod";

import { CallDirection, CallOutcome, CallStatus, TurnRole } from "./call.ts";
import { Campaign } from "./campaign.ts";
import { Attempt, Delivery } from "./delivery.ts";
import { Problem } from "./problem.ts";

/** What happened to a call in one commit, in the words of the messages that are sent out. */
export const LiveCallType = z.enum([
  "call.started",
  "call.updated",
  "call.ended",
  "call.failed",
  "call.completed",
  "call.merged",
  "recording.ready",
  "transcript.ready",
  "analysis.completed",
  "analysis.failed",
]);
export type LiveCallType = z.infer<typeof LiveCallType>;

/** A call as lists show it. `version` grows with every change; the whole record is at `GET /v1/calls/{id}`. */
export const LiveCall = z.object({
  id: z.string(),
  version: z.number().int(),
  provider: z.string(),
  status: CallStatus,
  outcome: CallOutcome.nullable(),
  direction: CallDirection.nullable(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  started_at: z.string().nullable(),
  answered_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  duration_ms: z.number().int().nullable(),
  campaign_id: z.string().nullable(),
});
export type LiveCall = z.infer<typeof LiveCall>;

/** Something that is being said, or was, where a provider tells it only at the end. While `is_final` is false, the next turn of the same role replaces it. */
export const LiveTurn = z.object({
  role: TurnRole,
  text: z.string(),
  /** Milliseconds from the start of the call, null where the provider does not say. */
  start_ms: z.number().int().nullable(),
  is_final: z.boolean(),
});
export type LiveTurn = z.infer<typeof LiveTurn>;

/** Everything that one commit did to one call. */
export const CallItem = z.object({
  types: z.array(LiveCallType).min(1),
  at: z.string(),
  call: LiveCall,
  /** The records that turned out to be this same call: they lead here from now on. */
  merged: z.array(z.string()).optional(),
});
export type CallItem = z.infer<typeof CallItem>;

export const TranscriptionItem = z.object({ at: z.string(), call_id: z.string(), turn: LiveTurn });
export type TranscriptionItem = z.infer<typeof TranscriptionItem>;

export const CampaignItem = z.object({
  types: z.array(z.literal("campaign.completed")).min(1),
  at: z.string(),
  campaign: Campaign,
});
export type CampaignItem = z.infer<typeof CampaignItem>;

/**
 * What an attempt came to: it arrived, the next one follows at `delivery.next_attempt_at`, or there will be none and
 * `delivery.reason` says why.
 */
export const LiveDeliveryType = z.enum(["delivery.succeeded", "delivery.failed", "delivery.undelivered"]);

/** An attempt without what was sent and answered: that is at `GET /v1/deliveries/{id}`. */
export const LiveAttempt = Attempt.pick({
  number: true,
  trigger: true,
  started_at: true,
  duration_ms: true,
  status: true,
  class: true,
  error: true,
});

/** One attempt to deliver a message to an endpoint, and how the delivery stands after it. */
export const DeliveryItem = z.object({
  types: z.array(LiveDeliveryType).min(1),
  at: z.string(),
  delivery: Delivery,
  attempt: LiveAttempt,
});
export type DeliveryItem = z.infer<typeof DeliveryItem>;

/** What attempts showed of an endpoint, in the words of the operational messages; `details` is the rest of their `data`. */
export const EndpointItem = z.object({
  types: z
    .array(
      z.enum([
        "endpoint.breaker_opened",
        "endpoint.breaker_closed",
        "endpoint.failing",
        "endpoint.recovered",
        "endpoint.disabled",
      ]),
    )
    .min(1),
  at: z.string(),
  endpoint_id: z.string(),
  details: z.record(z.string(), z.unknown()),
});
export type EndpointItem = z.infer<typeof EndpointItem>;

/** The gap is too old, or the cursor is not of this server: fetch everything again, then go on from here. */
export const ResetItem = z.object({ reason: z.enum(["too_old", "unknown_cursor"]) });
export type ResetReason = z.infer<typeof ResetItem>["reason"];
/** The last item of a stream that the server ends. */
export const EndItem = z.object({ reason: z.enum(["slow_consumer", "credential_ended", "stopping", "unavailable"]) });
export type EndReason = z.infer<typeof EndItem>["reason"];

/** The `event:` of an item of `GET /v1/stream`, and its `data:`. */
export const streamItems = {
  call: CallItem,
  transcription: TranscriptionItem,
  campaign: CampaignItem,
  delivery: DeliveryItem,
  endpoint: EndpointItem,
  reset: ResetItem,
  end: EndItem,
} as const;

/** What a stream is refused with. */
export const StreamProblem = Problem;
