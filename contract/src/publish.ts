import { z } from "zod";

import { Channel } from "./endpoint.ts";
import { Message } from "./message.ts";

/** A message of the tenant's own. */
export const PublishMessage = z.strictObject({
  type: z.string().min(1).max(100).meta({ description: "One of your own event types that is not archived." }),
  data: z.record(z.string(), z.unknown()).meta({ description: "Any object that the JSON Schema of the type takes." }),
  channels: z
    .array(Channel)
    .max(20)
    .default([])
    .meta({ description: "Endpoints that name channels get it only if they name one of these." }),
  order_key: z
    .string()
    .regex(/^[\x20-\x7e]{1,255}$/, "1 to 255 printable ASCII characters")
    .optional()
    .meta({ description: "Messages with the same key arrive in order at endpoints that ask for order." }),
  occurred_at: z.iso
    .datetime({ offset: true })
    .optional()
    .meta({ description: "When it happened, the `timestamp` of the message; now, if you do not say." }),
  message_id: z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, "1 to 255 printable ASCII characters without spaces")
    .optional()
    .meta({ description: "Your own id of the message. For 30 days the same id is refused with 409." }),
});
export type PublishMessage = z.output<typeof PublishMessage>;

export const PublishedMessage = Message.extend({
  /** The `message_id` it was published with. */
  external_id: z.string().nullable(),
  channels: z.array(z.string()),
  order_key: z.string().nullable(),
  /** To how many endpoints it goes. */
  deliveries_count: z.number().int(),
});
export type PublishedMessage = z.infer<typeof PublishedMessage>;
