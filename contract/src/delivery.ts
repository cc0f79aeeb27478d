import { z } from "zod";

/** `due`: waits for its time · `claimed`: is being sent · the other two are the end. */
export const DeliveryState = z.enum(["due", "claimed", "delivered", "undelivered"]);
export type DeliveryState = z.infer<typeof DeliveryState>;

/** Why a delivery ended without success. */
export const UndeliveredReason = z.enum([
  "exhausted",
  "blocked",
  "gone",
  "endpoint_disabled",
  "endpoint_deleted",
  "expired",
  "cancelled",
  "rejected",
  "too_large",
  "render_failed",
]);
export type UndeliveredReason = z.infer<typeof UndeliveredReason>;

/**
 * What became of one attempt. `connect` also stands for an address that is not allowed: a tenant cannot tell it from a
 * closed port. `auth`: no access token could be had; `render`: the body could not be made for the endpoint; of both nothing was
 * sent.
 */
export const AttemptClass = z.enum([
  "ok",
  "redirect",
  "gone",
  "throttled",
  "http_4xx",
  "http_5xx",
  "timeout",
  "connect",
  "reset",
  "dns",
  "tls",
  "auth",
  "render",
  "invalid_response",
]);
export type AttemptClass = z.infer<typeof AttemptClass>;

/** One message for one endpoint. */
export const Delivery = z.object({
  id: z.string(),
  message_id: z.string(),
  endpoint_id: z.string(),
  type: z.string(),
  call_id: z.string().nullable(),
  state: DeliveryState,
  reason: UndeliveredReason.nullable(),
  /** `event`, or the resend it belongs to. */
  cause: z.string(),
  /** The delivery that sends the same once more. */
  replaced_by: z.string().nullable(),
  attempt_count: z.number().int(),
  /** When the next attempt is due; null when there is none. */
  next_attempt_at: z.string().nullable(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
});
export type Delivery = z.infer<typeof Delivery>;

/** What made an attempt: the schedule, somebody by hand, or a resend. */
export const AttemptTrigger = z.enum(["schedule", "manual", "resend"]);
export type AttemptTrigger = z.infer<typeof AttemptTrigger>;

/** One HTTP request of a delivery. */
export const Attempt = z.object({
  number: z.number().int(),
  trigger: AttemptTrigger,
  /** Where it went; null for attempts that older versions made. */
  url: z.string().nullable(),
  started_at: z.string(),
  duration_ms: z.number().int(),
  /** HTTP status, 0 without an answer. */
  status: z.number().int(),
  class: AttemptClass,
  error: z.string().nullable(),
  /** What was sent, secrets masked; null when nothing was, and after the time for which answers are kept. */
  request_headers: z.record(z.string(), z.string()).nullable(),
  response_headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])).nullable(),
  /** The start of the answer as text, up to 64 kB. */
  response_body: z.string().nullable(),
});
export type Attempt = z.infer<typeof Attempt>;

export const DeliveryWithAttempts = Delivery.extend({ attempts: z.array(Attempt) });
