import { z } from "zod";

import { UndeliveredReason } from "./delivery.ts";
import { idOf } from "./list.ts";
import { UnroutedReason } from "./message.ts";

/** Why something did not arrive: the reasons of deliveries, and those of messages that went to no endpoint at all. */
export const WhyUndelivered = z.enum([...UnroutedReason.options, ...UndeliveredReason.options]);
export type WhyUndelivered = z.infer<typeof WhyUndelivered>;

/** What each reason means and what can be done about it. */
export const undeliveredReasons: Readonly<Record<WhyUndelivered, string>> = {
  no_endpoint: "There was no enabled endpoint when the message was accepted. Resend it to an endpoint.",
  filtered: "No endpoint wanted it when it was accepted. Resend it to an endpoint.",
  exhausted: "Every attempt of the schedule failed. Mend the receiver, then resend.",
  blocked: "The address is not one we may connect to, in every attempt. Change the URL, then resend.",
  gone: "The receiver answered 410, which disabled the endpoint. Enable it, then resend.",
  endpoint_disabled: "The endpoint was disabled before it arrived. Enable it, then resend.",
  endpoint_deleted: "The endpoint was deleted before it arrived. Resend it to another one.",
  expired: "Its `expires_at` passed before it arrived, or its payload was removed: then it cannot be sent any more.",
  cancelled: "Somebody cancelled it, or stopped the resend it belonged to. Resend it.",
  rejected:
    "The receiver answered with a status after which the endpoint wants no further attempt. Resend after a fix.",
  too_large: "The body became too large for this endpoint.",
  render_failed:
    "It could not be made for this endpoint, or processes ended whenever they tried it alone. Resend after a fix.",
};

/** One thing that did not arrive: a delivery that ended, or a message that went to no endpoint. */
export const Undelivered = z.object({
  /** `dlv_…`, or `msg_…` where there was no delivery. */
  id: z.string(),
  reason: WhyUndelivered,
  message_id: z.string(),
  endpoint_id: z.string().nullable(),
  type: z.string(),
  call_id: z.string().nullable(),
  attempt_count: z.number().int(),
  /** When the message was accepted. */
  accepted_at: z.string(),
  /** When it was given up. */
  undelivered_at: z.string(),
  /** False once its payload is removed. */
  is_resendable: z.boolean(),
});
export type Undelivered = z.infer<typeof Undelivered>;

export const UndeliveredCounts = z.object({
  total: z.number().int(),
  /** When the oldest of them was accepted. */
  oldest_at: z.string().nullable(),
  oldest_age_seconds: z.number().int().nullable(),
  reasons: z.array(
    z.object({ reason: WhyUndelivered, count: z.number().int(), oldest_at: z.string(), meaning: z.string() }),
  ),
});
export type UndeliveredCounts = z.infer<typeof UndeliveredCounts>;

/** Which of them. `since` and `until` are about when the message was accepted. */
export const undeliveredFilter = {
  reason: WhyUndelivered.optional(),
  endpoint_id: idOf("endpoint").optional(),
  type: z.string().max(100).optional(),
  call_id: idOf("call").optional(),
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
};

/**
 * Why something that is not lost has not been sent yet. `retry`: its next attempt is in the schedule · `paused`: the endpoint
 * is paused · `scheduled`: its time to be sent has not come · `throttled`: the receiver asked for time, or its rate is used up · `breaker`: the endpoint fails, and is tried
 * now and then · `order`: an earlier message of the same key comes first · `resend_paused`: its resend is paused · `in_line`:
 * it is due, and its turn has not come.
 */
export const HeldCause = z.enum([
  "retry",
  "scheduled",
  "paused",
  "throttled",
  "breaker",
  "order",
  "resend_paused",
  "campaign_paused",
  "in_line",
]);
export type HeldCause = z.infer<typeof HeldCause>;

/** A delivery that waits. */
export const Held = z.object({
  delivery_id: z.string(),
  message_id: z.string(),
  endpoint_id: z.string(),
  type: z.string(),
  call_id: z.string().nullable(),
  cause: HeldCause,
  /** With the cause `order`: the delivery of the same key that comes first. */
  blocked_by: z.string().nullable(),
  attempt_count: z.number().int(),
  accepted_at: z.string(),
  age_seconds: z.number().int(),
  /** When the next attempt is due; null when that depends on something else. */
  next_attempt_at: z.string().nullable(),
});
export type Held = z.infer<typeof Held>;
