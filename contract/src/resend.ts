import { z } from "zod";

import { manyIds, oneId } from "./body-id.ts";
import { WhyUndelivered } from "./undelivered.ts";

/** Limits of resends. */
export const resendLimits = {
  ratePerSecondMax: 1_000,
  ratePerSecondDefault: 50,
  sampleMax: 10,
} as const;

/**
 * `failed`: what stands in the undelivered list · `missing`: what the endpoint should have got by its settings of today, or was
 * meant for it, and never arrived · `all`: the same, and what did arrive.
 */
export const ResendMode = z.enum(["failed", "missing", "all"]);
export type ResendMode = z.infer<typeof ResendMode>;

export const ResendState = z.enum(["running", "paused", "canceled", "done"]);
export type ResendState = z.infer<typeof ResendState>;

/** `missed_while_disabled`: what an endpoint missed while it was disabled the last time, or is missing now. */
export const ResendPreset = z.enum(["missed_while_disabled"]);
export type ResendPreset = z.infer<typeof ResendPreset>;

const time = z.iso.datetime({ offset: true });

/** What to send once more. All conditions hold together; `since` and `until` are about when a message was accepted. */
export const CreateResend = z.strictObject({
  mode: ResendMode.optional(),
  preset: ResendPreset.optional(),
  /** Whose messages. The modes `missing` and `all` need it. */
  endpoint_id: oneId("endpoint").optional(),
  /** Where to, if not where they were meant to go. Needed for what went to no endpoint. */
  to_endpoint_id: oneId("endpoint").optional(),
  reasons: z.array(WhyUndelivered).min(1).max(WhyUndelivered.options.length).optional(),
  types: z.array(z.string().min(1).max(100)).min(1).max(50).optional(),
  since: time.optional(),
  until: time.optional(),
  call_ids: manyIds("call").optional(),
  delivery_ids: manyIds("delivery").optional(),
  message_ids: manyIds("message").optional(),
  rate_per_second: z
    .number()
    .int()
    .min(1)
    .max(resendLimits.ratePerSecondMax)
    .default(resendLimits.ratePerSecondDefault)
    .meta({ description: "How many are made due in a second. The endpoint's own limits hold beside it." }),
  force: z.boolean().default(false).meta({ description: "Send although the endpoint is disabled." }),
  dry_run: z.boolean().default(false).meta({ description: "Only count, and show some." }),
});
export type CreateResend = z.output<typeof CreateResend>;

/** Messages being sent once more. Its progress survives restarts. */
export const Resend = z.object({
  id: z.string(),
  mode: ResendMode,
  state: ResendState,
  filter: z.record(z.string(), z.unknown()),
  to_endpoint_id: z.string().nullable(),
  is_forced: z.boolean(),
  rate_per_second: z.number().int(),
  /** How many there were when it was made. */
  total_count: z.number().int(),
  resent_count: z.number().int(),
  /** What became of those by now. */
  outcome: z.object({
    delivered: z.number().int(),
    undelivered: z.number().int(),
    waiting: z.number().int(),
  }),
  actor: z.string(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
});
export type Resend = z.infer<typeof Resend>;

/** What a resend would send. */
export const ResendItem = z.object({
  message_id: z.string(),
  delivery_id: z.string().nullable(),
  endpoint_id: z.string(),
  type: z.string(),
  call_id: z.string().nullable(),
  accepted_at: z.string(),
});
export type ResendItem = z.infer<typeof ResendItem>;

/** Why some of the selection cannot be sent. */
export const ResendRefusals = z.object({
  payload_gone: z.number().int(),
  endpoint_disabled: z.number().int(),
  endpoint_deleted: z.number().int(),
  /** It went to no endpoint, and none is named now. */
  no_endpoint_named: z.number().int(),
});
export type ResendRefusals = z.infer<typeof ResendRefusals>;

export const CreatedResend = z.object({
  count: z.number().int(),
  refused: ResendRefusals,
  sample: z.array(ResendItem),
  /** Null after a dry run, and when there was nothing to send. */
  resend: Resend.nullable(),
});

/** A delivery once more, as a new series of attempts. */
export const ResendDelivery = z.strictObject({
  to_endpoint_id: oneId("endpoint").optional(),
  force: z.boolean().default(false).meta({ description: "Send although the endpoint is disabled." }),
});

/** A message to an endpoint, whether it was meant for it or not. */
export const ResendMessage = z.strictObject({
  endpoint_id: oneId("endpoint"),
  force: z.boolean().default(false).meta({ description: "Send although the endpoint is disabled." }),
});
