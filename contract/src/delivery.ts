import { z } from "zod";

/** `due`: waits for its time · `claimed`: is being sent · the other two are the end. */
export const DeliveryState = z.enum(["due", "claimed", "delivered", "undelivered"]);
export type DeliveryState = z.infer<typeof DeliveryState>;

/** Why a delivery ended without success. */
export const UndeliveredReason = z.enum(["exhausted", "gone", "endpoint_disabled", "endpoint_deleted"]);
export type UndeliveredReason = z.infer<typeof UndeliveredReason>;

/**
 * What became of one attempt. `connect` also stands for an address that is not allowed: a tenant cannot tell it from a
 * closed port.
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
  attempt_count: z.number().int(),
  /** When the next attempt is due; null when there is none. */
  next_attempt_at: z.string().nullable(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
});
export type Delivery = z.infer<typeof Delivery>;

/** One HTTP request of a delivery. */
export const Attempt = z.object({
  number: z.number().int(),
  started_at: z.string(),
  duration_ms: z.number().int(),
  /** HTTP status, 0 without an answer. */
  status: z.number().int(),
  class: AttemptClass,
  error: z.string().nullable(),
  response_headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])).nullable(),
  /** The start of the answer as text, up to 64 kB. */
  response_body: z.string().nullable(),
});
export type Attempt = z.infer<typeof Attempt>;

export const DeliveryWithAttempts = Delivery.extend({ attempts: z.array(Attempt) });
