import { z } from "zod";

import { Attempt } from "../delivery.ts";

/** What is sent to try an endpoint out. */
export const TestEndpoint = z.strictObject({
  type: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: "Of which event type an example is sent; by default the first one that the endpoint names." }),
  language: z.enum(["en", "he"]).default("en"),
});
export type TestEndpoint = z.output<typeof TestEndpoint>;

/** What the endpoint answered to an example. It is not kept. */
export const TestedEndpoint = Attempt.omit({ number: true, trigger: true }).extend({
  /** The `webhook-id`. */
  message_id: z.string(),
  type: z.string(),
});
