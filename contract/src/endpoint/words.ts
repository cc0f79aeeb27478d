import { z } from "zod";

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
 * CloudEvent (https://cloudevents.io).
 */
export const BaseFormat = z.enum(["standard", "flat", "cloudevents"]);
export type BaseFormat = z.infer<typeof BaseFormat>;

/** One of those as it is, or, `mapped`, changed by the endpoint's own mapping. */
export const EndpointFormat = z.enum([...BaseFormat.options, "mapped"]);
export type EndpointFormat = z.infer<typeof EndpointFormat>;

/** How a CloudEvent is sent: as one JSON object, or its data as the body and its attributes as headers (`ce-id`, …). */
export const CloudeventsMode = z.enum(["structured", "binary"]);
export type CloudeventsMode = z.infer<typeof CloudeventsMode>;

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
