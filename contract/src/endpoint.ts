import { z } from "zod";

import { EndpointAuth, ShownEndpointAuth } from "./endpoint/auth.ts";
import { Headers, HeadersPatch } from "./endpoint/headers.ts";
import { ShownSignature, Signature, SigningKind, SigningSecret } from "./endpoint/signature.ts";
import { TypePattern } from "./events.ts";
import { Filter } from "./filter.ts";
import { fromPublicId } from "./id.ts";

export { EndpointAuth } from "./endpoint/auth.ts";
export { Signature, SigningKind, SigningSecret } from "./endpoint/signature.ts";

/** Limits of endpoints and their settings. Milliseconds, seconds and counts as the names say. */
export const endpointLimits = {
  perTenantMax: 500,
  signingKeysMax: 10,
  /** How long old signing keys may go on signing after a rotation. */
  graceSecondsMax: 7 * 86_400,
  urlCharactersMax: 2048,
  typesMax: 50,
  campaignsMax: 100,
  channelsMax: 20,
  metadataKeysMax: 50,
  scheduleDelaysMax: 30,
  scheduleDelayMsMin: 1_000,
  scheduleDelayMsMax: 7 * 86_400_000,
  scheduleTotalMsMax: 14 * 86_400_000,
  timeoutMsMin: 1_000,
  timeoutMsMax: 30_000,
  inFlightMax: 500,
  rateMax: 10_000,
  ratePerSecondsMax: 3_600,
  strictDelayMsMax: 86_400_000,
  noRetryMax: 50,
} as const;

/**
 * Which calls an endpoint gets. `any`: all. `inbound`, `outbound` and `generic` are the three URLs of the direction rule:
 * inbound calls go to the inbound endpoints or else the generic ones, outbound calls to the outbound endpoints only.
 */
export const EndpointDirection = z.enum(["any", "inbound", "outbound", "generic"]);
export type EndpointDirection = z.infer<typeof EndpointDirection>;

/** The rule of each direction in words, as every endpoint shows it. */
export const routingRules: Readonly<Record<EndpointDirection, string>> = {
  any: "Gets every message it subscribes to, whatever the direction of the call.",
  inbound: "Gets messages about inbound calls, web calls and calls of unknown direction. Never about outbound calls.",
  outbound: "Gets messages about outbound calls, and nothing else.",
  generic:
    "Gets messages about inbound calls only while no inbound endpoint wants them, and messages that are not about a call. Never about outbound calls.",
};

/**
 * `standard`: `{type, timestamp, data}`. `flat`: one level of seventeen keys, for Zapier, Make and n8n. `cloudevents`: a
 * CloudEvent in structured mode (https://cloudevents.io).
 */
export const EndpointFormat = z.enum(["standard", "flat", "cloudevents"]);
export type EndpointFormat = z.infer<typeof EndpointFormat>;

/** `full`: everything that is known. `thin`: ids and links, and the receiver asks for the rest. */
export const EndpointPayload = z.enum(["full", "thin"]);
export type EndpointPayload = z.infer<typeof EndpointPayload>;

/** `ordinary`: messages about calls and what the tenant publishes. `operational`: messages about the delivery itself. */
export const EndpointKind = z.enum(["ordinary", "operational"]);
export type EndpointKind = z.infer<typeof EndpointKind>;

/**
 * The order of messages about one call. `none`: as fast as they go, with a sequence number. `skip`: one at a time, a failed one
 * is retried beside the later ones. `strict`: later ones wait until it has arrived or is given up.
 */
export const OrderMode = z.enum(["none", "skip", "strict"]);
export type OrderMode = z.infer<typeof OrderMode>;

const limit = endpointLimits;
const day = 86_400_000;

/** Delays between attempts in milliseconds: N delays make N + 1 attempts, none at all makes one. */
export const Schedule = z
  .array(z.number().int().min(limit.scheduleDelayMsMin).max(limit.scheduleDelayMsMax))
  .max(limit.scheduleDelaysMax)
  .refine(
    (delays) => delays.reduce((sum, delay) => sum + delay, 0) <= limit.scheduleTotalMsMax,
    `All delays together may be ${limit.scheduleTotalMsMax / day} days`,
  );

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

/** What an endpoint is when nothing else was said. */
export const endpointDefaults = {
  description: "",
  metadata: {} as Readonly<Record<string, string>>,
  types: ["*"] as readonly string[],
  direction: "any",
  format: "standard",
  payload: "full",
  signature: { profile: "standard" },
  schedule_ms: defaultScheduleMs,
  timeout_ms: 15_000,
  in_flight_max: 10,
  order: { mode: "none", strict_delay_max_ms: 600_000 },
  no_retry_statuses: [] as readonly string[],
} as const;

/** A URL of the tenant that messages are sent to. */
export const Endpoint = z.object({
  id: z.string(),
  uid: z.string().nullable(),
  url: z.string(),
  description: z.string(),
  metadata: z.record(z.string(), z.string()),
  kind: EndpointKind,
  types: z.array(z.string()),
  direction: EndpointDirection,
  /** The rule of `direction` in words. */
  routing: z.string(),
  campaign_ids: z.array(z.string()).nullable(),
  channels: z.array(z.string()).nullable(),
  filter: z.record(z.string(), z.unknown()).nullable(),
  format: EndpointFormat,
  payload: EndpointPayload,
  signature: ShownSignature,
  headers: z.record(z.string(), z.string()),
  auth: ShownEndpointAuth.nullable(),
  schedule_ms: z.array(z.number().int()),
  timeout_ms: z.number().int(),
  in_flight_max: z.number().int(),
  rate: Rate.nullable(),
  order: Order,
  no_retry_statuses: z.array(z.string()),
  is_breaker_on: z.boolean(),
  is_auto_disabled_on: z.boolean(),
  /** Paused: messages wait. */
  is_paused: z.boolean(),
  paused_at: z.string().nullable(),
  /** Not enabled: messages are listed as undelivered. */
  is_enabled: z.boolean(),
  disabled_at: z.string().nullable(),
  /** `user`, or `gone`: the receiver answered 410. */
  disabled_reason: z.string().nullable(),
  created_at: z.string(),
  updated_at: z.string(),
});
export type Endpoint = z.infer<typeof Endpoint>;

const Url = z.string().min(1).max(limit.urlCharactersMax, `A URL has at most ${limit.urlCharactersMax} characters`);
const Uid = z.string().regex(/^[A-Za-z0-9._:-]{1,255}$/, "1 to 255 letters, digits and . _ : -");
const Types = z.array(TypePattern).min(1, "Name at least one event type, or * for all").max(limit.typesMax);
const Description = z.string().max(500);
const Metadata = z
  .record(z.string().min(1).max(100), z.string().max(500))
  .refine((data) => Object.keys(data).length <= limit.metadataKeysMax, `At most ${limit.metadataKeysMax} entries`);
const CampaignIds = z
  .array(z.string().refine((id) => fromPublicId("campaign", id) !== null, "Not an id of a campaign"))
  .min(1, "Name at least one campaign, or leave it out for all")
  .max(limit.campaignsMax)
  .transform((ids) => ids.flatMap((id) => fromPublicId("campaign", id) ?? []));
/** A name that messages are sent under, besides their type. */
export const Channel = z.string().regex(/^[A-Za-z0-9._:-]{1,100}$/, "1 to 100 letters, digits and . _ : -");
const Channels = z
  .array(Channel)
  .min(1, "Name at least one channel, or leave it out for all messages")
  .max(limit.channelsMax);
const TimeoutMs = z.number().int().min(limit.timeoutMsMin).max(limit.timeoutMsMax);
const InFlightMax = z.number().int().min(1).max(limit.inFlightMax);
const NewRate = z
  .strictObject({
    limit: z.number().int().min(1).max(limit.rateMax),
    per_seconds: z.number().int().min(1).max(limit.ratePerSecondsMax).default(1),
    burst: z.number().int().min(1).max(limit.rateMax).optional(),
  })
  .transform((rate): Rate => ({ ...rate, burst: rate.burst ?? rate.limit }));
const NewOrder = z.strictObject({
  mode: OrderMode,
  strict_delay_max_ms: z
    .number()
    .int()
    .min(1_000)
    .max(limit.strictDelayMsMax)
    .default(endpointDefaults.order.strict_delay_max_ms),
});
const NoRetry = z.array(StatusRange()).max(limit.noRetryMax);

/** A status code or a range of them: `"404"`, `"400-403"`. */
function StatusRange() {
  return z
    .string()
    .regex(/^[345]\d\d(-[345]\d\d)?$/, "A status from 300 to 599, or a range as in 400-403")
    .refine((text) => text.slice(0, 3) <= text.slice(-3), "The range ends before it begins");
}

export const CreateEndpoint = z
  .strictObject({
    url: Url,
    uid: Uid.nullable().default(null),
    types: Types.optional(),
    /** The same as `types`, for clients that know it by this name. */
    events: Types.optional(),
    description: Description.default(endpointDefaults.description),
    metadata: Metadata.default({}),
    kind: EndpointKind.default("ordinary"),
    direction: EndpointDirection.default(endpointDefaults.direction),
    campaign_ids: CampaignIds.nullable().default(null),
    channels: Channels.nullable().default(null),
    filter: Filter.nullable().default(null),
    format: EndpointFormat.default(endpointDefaults.format),
    payload: EndpointPayload.default(endpointDefaults.payload),
    signature: Signature.default(endpointDefaults.signature),
    headers: Headers.default({}),
    auth: EndpointAuth.nullable().default(null),
    schedule_ms: Schedule.default([...defaultScheduleMs]),
    timeout_ms: TimeoutMs.default(endpointDefaults.timeout_ms),
    in_flight_max: InFlightMax.default(endpointDefaults.in_flight_max),
    rate: NewRate.nullable().default(null),
    order: NewOrder.default(endpointDefaults.order),
    no_retry_statuses: NoRetry.default([]),
    is_breaker_on: z.boolean().default(true),
    is_auto_disabled_on: z.boolean().default(true),
    is_paused: z.boolean().default(false),
    /** A signing key to take over; without it one is made. */
    secret: SigningSecret.optional(),
    /** Which kind of key is made. */
    signing: SigningKind.default("hmac"),
  })
  .refine((body) => body.types === undefined || body.events === undefined, {
    path: ["events"],
    message: "types and events mean the same: send one of them",
  })
  .transform(({ events, types, ...body }) => ({ ...body, types: types ?? events ?? [...endpointDefaults.types] }));
export type CreateEndpoint = z.output<typeof CreateEndpoint>;

/** What is absent stays, `null` goes back to the default. Headers are merged: `null` takes one away. */
export const UpdateEndpoint = z.strictObject({
  url: Url.optional(),
  uid: Uid.nullable().optional(),
  types: Types.nullable().optional(),
  description: Description.nullable().optional(),
  metadata: Metadata.nullable().optional(),
  kind: z.undefined("The kind cannot be changed: make another endpoint").optional(),
  direction: EndpointDirection.nullable().optional(),
  campaign_ids: CampaignIds.nullable().optional(),
  channels: Channels.nullable().optional(),
  filter: Filter.nullable().optional(),
  format: EndpointFormat.nullable().optional(),
  payload: EndpointPayload.nullable().optional(),
  signature: Signature.nullable().optional(),
  headers: HeadersPatch.nullable().optional(),
  auth: EndpointAuth.nullable().optional(),
  schedule_ms: Schedule.nullable().optional(),
  timeout_ms: TimeoutMs.nullable().optional(),
  in_flight_max: InFlightMax.nullable().optional(),
  rate: NewRate.nullable().optional(),
  order: NewOrder.nullable().optional(),
  no_retry_statuses: NoRetry.nullable().optional(),
  is_breaker_on: z.boolean().nullable().optional(),
  is_auto_disabled_on: z.boolean().nullable().optional(),
  is_paused: z.boolean().optional(),
  is_enabled: z.boolean().optional(),
});
export type UpdateEndpoint = z.output<typeof UpdateEndpoint>;

/** The answer to creating an endpoint: the only one that holds its signing key unasked. */
export const CreatedEndpoint = Endpoint.extend({ secret: z.string() });

/** Keys that sign now, newest first. During a rotation there are several. */
export const EndpointSecrets = z.object({
  secrets: z.array(
    z.object({
      secret: z.string(),
      /** What receivers verify with when the key is of the kind `ed25519`. */
      public_key: z.string().nullable(),
      created_at: z.string(),
      expires_at: z.string().nullable(),
    }),
  ),
});

/** Public keys that verify `v1a` signatures now, newest first. */
export const EndpointPublicKeys = z.object({
  public_keys: z.array(z.object({ public_key: z.string(), created_at: z.string(), expires_at: z.string().nullable() })),
});

export const RotateEndpointSecret = z
  .strictObject({
    /** How long the old keys go on signing beside the new one; 0 ends them at once. */
    grace_seconds: z.number().int().min(0).max(limit.graceSecondsMax).default(86_400),
    /** A key of one's own; only admins may choose it. Without it one is made. */
    secret: SigningSecret.optional(),
    /** The kind of the new key; absent: the kind of the newest one. */
    signing: SigningKind.optional(),
  })
  .refine((body) => body.secret === undefined || body.signing === undefined, {
    path: ["signing"],
    message: "A key of one's own has its kind in its prefix: send one of the two",
  });
