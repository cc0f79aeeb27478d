import { z } from "zod";

import { Delivery } from "./delivery.ts";

/** Why a message went to no endpoint: the tenant had none, or none wanted it. */
export const UnroutedReason = z.enum(["no_endpoint", "filtered"]);
export type UnroutedReason = z.infer<typeof UnroutedReason>;

/** One outbound event. Its id is the `webhook-id` of every attempt. */
export const Message = z.object({
  id: z.string(),
  type: z.string(),
  call_id: z.string().nullable(),
  campaign_id: z.string().nullable(),
  occurred_at: z.string(),
  /** When the webhook that caused it was received. */
  received_at: z.string(),
  unrouted_reason: UnroutedReason.nullable(),
  /** Whether its bytes were removed, by age or by hand: it cannot be sent any more. */
  is_expired: z.boolean(),
  created_at: z.string(),
});
export type Message = z.infer<typeof Message>;

/** A message with the bytes that are sent, by format, and where they go. */
export const MessageWithDeliveries = Message.extend({
  bodies: z.record(z.string(), z.string()),
  deliveries: z.array(Delivery),
});

/** How messages of a type look: for those who build what receives them. */
export const MessageSamples = z.object({
  data: z
    .array(z.record(z.string(), z.unknown()))
    .meta({ description: "Bodies as they are sent, the newest first; one at least." }),
  origin: z.enum(["messages", "example"]).meta({
    description: "`messages`: your own newest messages of this type. `example`: there are none yet; it is invented.",
  }),
});
