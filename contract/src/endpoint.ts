import { z } from "zod";

import { TypePattern } from "./events.ts";

/**
 * Which calls an endpoint gets. `any`: all. `inbound`, `outbound` and `generic` are the three URLs of the direction rule:
 * inbound calls go to the inbound endpoints or else the generic ones, outbound calls to the outbound endpoints only.
 */
export const EndpointDirection = z.enum(["any", "inbound", "outbound", "generic"]);
export type EndpointDirection = z.infer<typeof EndpointDirection>;

/** `standard`: `{type, timestamp, data}`. `flat`: one level of seventeen keys, for Zapier, Make and n8n. */
export const EndpointFormat = z.enum(["standard", "flat"]);
export type EndpointFormat = z.infer<typeof EndpointFormat>;

const day = 86_400_000;

/** Delays between attempts in milliseconds: N delays make N + 1 attempts. */
export const Schedule = z
  .array(
    z
      .number()
      .int()
      .min(1_000)
      .max(7 * day),
  )
  .max(30)
  .refine((delays) => delays.reduce((sum, delay) => sum + delay, 0) <= 14 * day, "All delays together may be 14 days");

/** 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: ten attempts over three days, so a weekend's outage loses nothing. */
export const defaultScheduleMs: readonly number[] = [
  5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000,
];

/** A URL of the tenant that messages are sent to. */
export const Endpoint = z.object({
  id: z.string(),
  url: z.string(),
  description: z.string(),
  types: z.array(z.string()),
  direction: EndpointDirection,
  format: EndpointFormat,
  schedule_ms: z.array(z.number().int()),
  timeout_ms: z.number().int(),
  in_flight_max: z.number().int(),
  is_enabled: z.boolean(),
  disabled_at: z.string().nullable(),
  /** `user`, or `gone`: the receiver answered 410. */
  disabled_reason: z.string().nullable(),
  created_at: z.string(),
  updated_at: z.string(),
});
export type Endpoint = z.infer<typeof Endpoint>;

const Url = z.string().min(1).max(2048, "A URL has at most 2048 characters");
const Types = z.array(TypePattern).min(1, "Name at least one event type, or * for all").max(50);
const Description = z.string().max(500);
const TimeoutMs = z.number().int().min(1_000).max(30_000);
const InFlightMax = z.number().int().min(1).max(500);

/** `whsec_` and the base64 of 24 to 64 random bytes (Standard Webhooks). */
export const SigningSecret = z
  .string()
  .regex(/^whsec_(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, "whsec_ followed by base64")
  .refine((text) => {
    const bytes = Math.floor((text.slice(6).replace(/=+$/, "").length * 3) / 4);
    return bytes >= 24 && bytes <= 64;
  }, "24 to 64 bytes after whsec_");

export const CreateEndpoint = z
  .strictObject({
    url: Url,
    types: Types.optional(),
    /** The same as `types`, for clients that know it by this name. */
    events: Types.optional(),
    description: Description.default(""),
    direction: EndpointDirection.default("any"),
    format: EndpointFormat.default("standard"),
    schedule_ms: Schedule.optional(),
    timeout_ms: TimeoutMs.default(15_000),
    in_flight_max: InFlightMax.default(10),
    /** A signing secret to take over; without it one is made. */
    secret: SigningSecret.optional(),
  })
  .refine((body) => body.types === undefined || body.events === undefined, {
    path: ["events"],
    message: "types and events mean the same: send one of them",
  })
  .transform(({ events, types, ...body }) => ({ ...body, types: types ?? events ?? ["*"] }));
export type CreateEndpoint = z.output<typeof CreateEndpoint>;

/** What is absent stays, `null` goes back to the default. */
export const UpdateEndpoint = z.strictObject({
  url: Url.optional(),
  types: Types.nullable().optional(),
  description: Description.nullable().optional(),
  direction: EndpointDirection.nullable().optional(),
  format: EndpointFormat.nullable().optional(),
  schedule_ms: Schedule.nullable().optional(),
  timeout_ms: TimeoutMs.nullable().optional(),
  in_flight_max: InFlightMax.nullable().optional(),
  is_enabled: z.boolean().optional(),
});
export type UpdateEndpoint = z.output<typeof UpdateEndpoint>;

/** The answer to creating an endpoint: the only one that holds its secret unasked. */
export const CreatedEndpoint = Endpoint.extend({ secret: z.string() });

/** Secrets that sign now, newest first. During a rotation there are several. */
export const EndpointSecrets = z.object({
  secrets: z.array(z.object({ secret: z.string(), created_at: z.string(), expires_at: z.string().nullable() })),
});

/** How long the old secrets go on signing beside the new one; 0 ends them at once. */
export const RotateEndpointSecret = z.strictObject({
  grace_seconds: z
    .number()
    .int()
    .min(0)
    .max(7 * 86_400)
    .default(86_400),
});
