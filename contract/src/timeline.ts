import { z } from "zod";

import { CallOutcome, CallStatus } from "./call.ts";
import { AttemptClass, DeliveryState, UndeliveredReason } from "./delivery.ts";
import { UnroutedReason } from "./message.ts";
import { MomentKind } from "./moment.ts";

/** What an event made of the call; all null where it changed nothing. */
const effect = {
  status_after: CallStatus.nullable(),
  outcome_after: CallOutcome.nullable(),
  problem: z.string().nullable(),
};

/** A webhook that spoke of the call, at the moment in which it was received. */
export const TimelineEvent = z.object({
  kind: z.literal("event"),
  at: z.string(),
  event_id: z.string(),
  provider: z.string(),
  type: z.string(),
  occurred_at: z.string().nullable(),
  effect: z.enum(["applied", "recorded", "unmatched"]),
  ...effect,
});

/** An event that was applied later: its call was there at last, or somebody ran it again. */
export const TimelineApplication = z.object({
  kind: z.literal("application"),
  at: z.string(),
  event_id: z.string(),
  cause: z.enum(["matched", "replay", "retry"]),
  ...effect,
});

/** Something happened inside the call; what it was about is at `GET /v1/calls/:id/moments`. */
export const TimelineMoment = z.object({
  kind: z.literal("moment"),
  at: z.string(),
  moment_id: z.string(),
  moment: MomentKind,
  name: z.string().nullable(),
  at_ms: z.number().int().nullable(),
});

/** Somebody changed the call over the API. */
export const TimelineChange = z.object({
  kind: z.literal("change"),
  at: z.string(),
  action: z.string(),
  actor: z.string(),
});

/** A message about the call was written. */
export const TimelineMessage = z.object({
  kind: z.literal("message"),
  at: z.string(),
  message_id: z.string(),
  type: z.string(),
  unrouted_reason: UnroutedReason.nullable(),
});

/** A message began its way to one endpoint; `state` is where it is now. */
export const TimelineDelivery = z.object({
  kind: z.literal("delivery"),
  at: z.string(),
  delivery_id: z.string(),
  message_id: z.string(),
  endpoint_id: z.string(),
  state: DeliveryState,
  reason: UndeliveredReason.nullable(),
  finished_at: z.string().nullable(),
});

/** One request to an endpoint. */
export const TimelineAttempt = z.object({
  kind: z.literal("attempt"),
  at: z.string(),
  delivery_id: z.string(),
  number: z.number().int(),
  status: z.number().int(),
  class: AttemptClass,
  duration_ms: z.number().int(),
});

export const TimelineEntry = z.discriminatedUnion("kind", [
  TimelineEvent,
  TimelineApplication,
  TimelineMoment,
  TimelineChange,
  TimelineMessage,
  TimelineDelivery,
  TimelineAttempt,
]);
export type TimelineEntry = z.infer<typeof TimelineEntry>;

/** Everything that happened to a call and because of it, oldest first. */
export const Timeline = z.object({
  data: z.array(TimelineEntry),
  /** True: there is more than the thousand of each kind that are shown. */
  is_truncated: z.boolean(),
});
