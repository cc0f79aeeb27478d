import { z } from "zod";

import { fromPublicId } from "../id.ts";
import { TypePattern } from "../type-name.ts";
import { endpointLimits as limit } from "./limits.ts";
import { OrderMode } from "./words.ts";

// The settings of an endpoint one by one, as they are accepted.

const day = 86_400_000;

/** Delays between attempts in milliseconds: N delays make N + 1 attempts, none at all makes one. */
export const Schedule = z
  .array(z.number().int().min(limit.scheduleDelayMsMin).max(limit.scheduleDelayMsMax))
  .max(limit.scheduleDelaysMax)
  .refine(
    (delays) => delays.reduce((sum, delay) => sum + delay, 0) <= limit.scheduleTotalMsMax,
    `All delays together may be ${limit.scheduleTotalMsMax / day} days`,
  );

/** A schedule of its own for messages of a type, or of all types of a noun. The type itself counts before its noun. */
export const TypeSchedules = z
  .record(
    TypePattern.refine((pattern) => pattern !== "*", "Say schedule_ms for all types"),
    Schedule,
  )
  .refine((schedules) => Object.keys(schedules).length <= limit.typesMax, `At most ${limit.typesMax} types`);

/** 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: ten attempts over three days, so a weekend's outage loses nothing. */
export const defaultScheduleMs: readonly number[] = [
  5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000,
];

/** At most `limit` attempts in `per_seconds`, of which `burst` at once. */
export const Rate = z.object({ limit: z.number().int(), per_seconds: z.number().int(), burst: z.number().int() });
export type Rate = z.infer<typeof Rate>;

/** `strict_delay_max_ms`: in the strict mode no retry waits longer than this, since others wait behind it. */
export const Order = z.object({ mode: OrderMode, strict_delay_max_ms: z.number().int() });
export type Order = z.infer<typeof Order>;

/** No retry waits longer than this in the strict mode, unless the endpoint says otherwise. */
export const defaultStrictDelayMs = 600_000;

export const Url = z
  .string()
  .min(1)
  .max(limit.urlCharactersMax, `A URL has at most ${limit.urlCharactersMax} characters`);
export const Uid = z.string().regex(/^[A-Za-z0-9._:-]{1,255}$/, "1 to 255 letters, digits and . _ : -");
export const Types = z.array(TypePattern).min(1, "Name at least one event type, or * for all").max(limit.typesMax);
export const Description = z.string().max(500);
export const Metadata = z
  .record(z.string().min(1).max(100), z.string().max(500))
  .refine((data) => Object.keys(data).length <= limit.metadataKeysMax, `At most ${limit.metadataKeysMax} entries`);
export const CampaignIds = z
  .array(z.string().refine((id) => fromPublicId("campaign", id) !== null, "Not an id of a campaign"))
  .min(1, "Name at least one campaign, or leave it out for all")
  .max(limit.campaignsMax)
  .transform((ids) => ids.flatMap((id) => fromPublicId("campaign", id) ?? []));
/** A name that messages are sent under, besides their type. */
export const Channel = z.string().regex(/^[A-Za-z0-9._:-]{1,100}$/, "1 to 100 letters, digits and . _ : -");
export const Channels = z
  .array(Channel)
  .min(1, "Name at least one channel, or leave it out for all messages")
  .max(limit.channelsMax);
export const TimeoutMs = z.number().int().min(limit.timeoutMsMin).max(limit.timeoutMsMax);
export const InFlightMax = z.number().int().min(1).max(limit.inFlightMax);
export const NewRate = z
  .strictObject({
    limit: z.number().int().min(1).max(limit.rateMax),
    per_seconds: z.number().int().min(1).max(limit.ratePerSecondsMax).default(1),
    burst: z.number().int().min(1).max(limit.rateMax).optional(),
  })
  .transform((rate): Rate => ({ ...rate, burst: rate.burst ?? rate.limit }));
export const NewOrder = z.strictObject({
  mode: OrderMode,
  strict_delay_max_ms: z.number().int().min(1_000).max(limit.strictDelayMsMax).default(defaultStrictDelayMs),
});
export const NoRetry = z.array(StatusRange()).max(limit.noRetryMax);

/** A status code or a range of them: `"404"`, `"400-403"`. */
function StatusRange() {
  return z
    .string()
    .regex(/^[345]\d\d(-[345]\d\d)?$/, "A status from 300 to 599, or a range as in 400-403")
    .refine((text) => text.slice(0, 3) <= text.slice(-3), "The range ends before it begins");
}
