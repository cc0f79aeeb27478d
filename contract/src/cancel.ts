import { z } from "zod";

import { manyIds, oneId } from "./body-id.ts";
import { ResendItem } from "./resend.ts";

const time = z.iso.datetime({ offset: true });

/** Which of the deliveries that wait are not to be sent. All conditions hold together, and at least one is needed. */
export const CancelDeliveries = z
  .strictObject({
    endpoint_id: oneId("endpoint").optional(),
    types: z.array(z.string().min(1).max(100)).min(1).max(50).optional(),
    since: time.optional().meta({ description: "When the message was accepted, or later." }),
    until: time.optional().meta({ description: "Before." }),
    call_ids: manyIds("call").optional(),
    delivery_ids: manyIds("delivery").optional(),
    message_ids: manyIds("message").optional(),
    is_tried: z.boolean().optional().meta({
      description:
        "`true`: only those that failed before and wait for another attempt; `false`: only those never tried.",
    }),
    dry_run: z.boolean().default(false).meta({ description: "Only count, and show some." }),
  })
  .refine((body) => Object.entries(body).some(([name, value]) => name !== "dry_run" && value !== undefined), {
    message: "Say which: name an endpoint, a type, a call, a message, a delivery or a time",
  });
export type CancelDeliveries = z.output<typeof CancelDeliveries>;

export const CancelledDeliveries = z.object({
  /** How many of them waited. */
  count: z.number().int(),
  /** How many are undelivered now, with the reason `cancelled`. At most 10,000 in one request: ask again for the rest. */
  cancelled_count: z.number().int(),
  /** How many are being sent at this moment: they are left alone, and one that fails waits again. */
  in_flight_count: z.number().int(),
  sample: z.array(ResendItem),
});
