import { z } from "zod";

import { Channel } from "./endpoint.ts";
import { Message } from "./message.ts";

const PublishFields = z.strictObject({
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
  deliver_at: z.iso
    .datetime({ offset: true })
    .optional()
    .meta({ description: "Not sent before; at most 30 days ahead. A time that has passed is now." }),
  expires_at: z.iso
    .datetime({ offset: true })
    .optional()
    .meta({ description: "What has not arrived by then is not tried again: it is undelivered, `expired`." }),
});

/** A message of the tenant's own. */
export const PublishMessage = PublishFields.refine(
  ({ deliver_at: from, expires_at: until }) =>
    from === undefined || until === undefined || Date.parse(from) < Date.parse(until),
  { path: ["expires_at"], message: "It ends before it is sent: must be after deliver_at" },
).refine(({ deliver_at: from, order_key: key }) => from === undefined || key === undefined, {
  path: ["deliver_at"],
  message: "A message with an order_key goes out in its turn: those after it would wait for it",
});
export type PublishMessage = z.output<typeof PublishMessage>;

export const PublishedMessage = Message.extend({
  /** The `message_id` it was published with. */
  external_id: z.string().nullable(),
  channels: z.array(z.string()),
  order_key: z.string().nullable(),
  deliver_at: z.string().nullable(),
  expires_at: z.string().nullable(),
  /** To how many endpoints it goes. */
  deliveries_count: z.number().int(),
});
export type PublishedMessage = z.infer<typeof PublishedMessage>;
