import { z } from "zod";

import { EndpointAuth, ShownEndpointAuth } from "./endpoint/auth.ts";
import {
  CampaignIds,
  Channels,
  defaultScheduleMs,
  defaultStrictDelayMs,
  Description,
  InFlightMax,
  Metadata,
  NewOrder,
  NewRate,
  NoRetry,
  Order,
  Rate,
  Schedule,
  TimeoutMs,
  Types,
  TypeSchedules,
  Uid,
  Url,
} from "./endpoint/fields.ts";
import { Headers, HeadersPatch } from "./endpoint/headers.ts";
import { endpointLimits } from "./endpoint/limits.ts";
import { Mapping } from "./endpoint/mapping.ts";
import { ShownSignature, Signature, SigningKind, SigningSecret } from "./endpoint/signature.ts";
import { CloudeventsMode, EndpointDirection, EndpointFormat, EndpointKind, EndpointPayload } from "./endpoint/words.ts";
import { Filter } from "./filter.ts";
import { ApiVersion } from "./version.ts";

export { EndpointAuth } from "./endpoint/auth.ts";
export { Channel, defaultScheduleMs, Order, Rate, Schedule } from "./endpoint/fields.ts";
export { endpointLimits } from "./endpoint/limits.ts";
export { Signature, SigningKind, SigningSecret } from "./endpoint/signature.ts";
export {
  EndpointDirection,
  EndpointFormat,
  EndpointKind,
  EndpointPayload,
  OrderMode,
  routingRules,
} from "./endpoint/words.ts";

/** What an endpoint is when nothing else was said. */
export const endpointDefaults = {
  description: "",
  metadata: {} as Readonly<Record<string, string>>,
  types: ["*"] as readonly string[],
  direction: "any",
  format: "standard",
  cloudevents_mode: "structured",
  payload: "full",
  signature: { profile: "standard" },
  schedule_ms: defaultScheduleMs,
  timeout_ms: 15_000,
  in_flight_max: 10,
  order: { mode: "none", strict_delay_max_ms: defaultStrictDelayMs },
  no_retry_statuses: [] as readonly string[],
} as const;

/** A URL of the tenant that messages are sent to. */
export const Endpoint = z.object({
  id: z.string(),
  uid: z.string().nullable(),
  url: z.string(),
  /** Where every second attempt goes, from the second on: the way round when the URL fails. */
  fallback_url: z.string().nullable(),
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
  /** With the format `mapped`: of what, and how. */
  mapping: Mapping.nullable(),
  cloudevents_mode: CloudeventsMode,
  payload: EndpointPayload,
  signature: ShownSignature,
  headers: z.record(z.string(), z.string()),
  auth: ShownEndpointAuth.nullable(),
  schedule_ms: z.array(z.number().int()),
  /** Instead of it, for messages of a type (`call.completed`) or of all types of a noun (`call.*`). */
  type_schedules_ms: z.record(z.string(), z.array(z.number().int())),
  timeout_ms: z.number().int(),
  in_flight_max: z.number().int(),
  rate: Rate.nullable(),
  order: Order,
  no_retry_statuses: z.array(z.string()),
  /** Its URLs are asked (`OPTIONS`) whether they want to be called whenever they change. */
  is_handshake_on: z.boolean(),
  is_breaker_on: z.boolean(),
  is_auto_disabled_on: z.boolean(),
  /** Gets `call.completed` once more, as a message of its own, when late data changes what was made of a call. */
  resend_on_late: z.boolean(),
  /** Paused: messages wait. */
  is_paused: z.boolean(),
  paused_at: z.string().nullable(),
  /** Not enabled: messages are listed as undelivered. */
  is_enabled: z.boolean(),
  disabled_at: z.string().nullable(),
  /** `user`, or `gone`: the receiver answered 410. */
  disabled_reason: z.string().nullable(),
  api_version: ApiVersion,
  created_at: z.string(),
  updated_at: z.string(),
});
export type Endpoint = z.infer<typeof Endpoint>;

export const CreateEndpoint = z
  .strictObject({
    url: Url,
    fallback_url: Url.nullable().default(null),
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
    mapping: Mapping.nullable().default(null),
    cloudevents_mode: CloudeventsMode.default(endpointDefaults.cloudevents_mode),
    payload: EndpointPayload.default(endpointDefaults.payload),
    signature: Signature.default(endpointDefaults.signature),
    headers: Headers.default({}),
    auth: EndpointAuth.nullable().default(null),
    schedule_ms: Schedule.default([...defaultScheduleMs]),
    type_schedules_ms: TypeSchedules.default({}),
    timeout_ms: TimeoutMs.default(endpointDefaults.timeout_ms),
    in_flight_max: InFlightMax.default(endpointDefaults.in_flight_max),
    rate: NewRate.nullable().default(null),
    order: NewOrder.default(endpointDefaults.order),
    no_retry_statuses: NoRetry.default([]),
    is_handshake_on: z.boolean().default(false).meta({
      description:
        "Ask the URLs with `OPTIONS` and `WebHook-Request-Origin` (CloudEvents web hooks) before the endpoint is stored; without leave it is refused.",
    }),
    is_breaker_on: z.boolean().default(true),
    is_auto_disabled_on: z.boolean().default(true),
    resend_on_late: z.boolean().default(false).meta({
      description:
        "Send `call.completed` again, with another id and what is known then, when something comes after it that makes a new current analysis: a recording, a better transcript, a step done again.",
    }),
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
  fallback_url: Url.nullable().optional(),
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
  mapping: Mapping.nullable().optional(),
  cloudevents_mode: CloudeventsMode.nullable().optional(),
  payload: EndpointPayload.nullable().optional(),
  signature: Signature.nullable().optional(),
  headers: HeadersPatch.nullable().optional(),
  auth: EndpointAuth.nullable().optional(),
  schedule_ms: Schedule.nullable().optional(),
  type_schedules_ms: TypeSchedules.nullable().optional(),
  timeout_ms: TimeoutMs.nullable().optional(),
  in_flight_max: InFlightMax.nullable().optional(),
  rate: NewRate.nullable().optional(),
  order: NewOrder.nullable().optional(),
  no_retry_statuses: NoRetry.nullable().optional(),
  is_handshake_on: z.boolean().nullable().optional(),
  is_breaker_on: z.boolean().nullable().optional(),
  is_auto_disabled_on: z.boolean().nullable().optional(),
  resend_on_late: z.boolean().nullable().optional(),
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
    grace_seconds: z.number().int().min(0).max(endpointLimits.graceSecondsMax).default(86_400),
    /** A key of one's own; only admins may choose it. Without it one is made. */
    secret: SigningSecret.optional(),
    /** The kind of the new key; absent: the kind of the newest one. */
    signing: SigningKind.optional(),
  })
  .refine((body) => body.secret === undefined || body.signing === undefined, {
    path: ["signing"],
    message: "A key of one's own has its kind in its prefix: send one of the two",
  });
