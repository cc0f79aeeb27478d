import { z } from "zod";

import type { Route } from "../api.ts";
import { Delivery, DeliveryState, DeliveryWithAttempts, UndeliveredReason } from "../delivery.ts";
import {
  CreatedEndpoint,
  CreateEndpoint,
  Endpoint,
  EndpointPublicKeys,
  EndpointSecrets,
  RotateEndpointSecret,
  UpdateEndpoint,
} from "../endpoint.ts";
import { EndpointHealth } from "../endpoint/health.ts";
import { PreviewedMapping, PreviewMapping } from "../endpoint/mapping.ts";
import { TestedEndpoint, TestEndpoint } from "../endpoint/test.ts";
import { idOf, listOf, ListQuery } from "../list.ts";
import { Message, MessageSamples, MessageWithDeliveries } from "../message.ts";

const endpointId = z.object({ id: idOf("endpoint") });
const messageId = z.object({ id: idOf("message") });
const deliveryId = z.object({ id: idOf("delivery") });

export const deliveryRoutes = {
  listEndpoints: {
    method: "GET",
    path: "/v1/endpoints",
    summary: "The endpoints of the tenant, newest first.",
    role: "viewer",
    query: ListQuery,
    output: listOf(Endpoint),
  },
  createEndpoint: {
    method: "POST",
    path: "/v1/endpoints",
    summary: "Subscribes a URL to messages. The answer holds the signing secret.",
    role: "admin",
    body: CreateEndpoint,
    output: CreatedEndpoint,
    status: 201,
  },
  getEndpoint: {
    method: "GET",
    path: "/v1/endpoints/:id",
    summary: "One endpoint.",
    role: "viewer",
    params: endpointId,
    output: Endpoint,
  },
  updateEndpoint: {
    method: "PATCH",
    path: "/v1/endpoints/:id",
    summary: "Changes what is given and leaves the rest; null goes back to the default.",
    role: "admin",
    params: endpointId,
    body: UpdateEndpoint,
    output: Endpoint,
    canConflict: true,
  },
  deleteEndpoint: {
    method: "DELETE",
    path: "/v1/endpoints/:id",
    summary: "Removes an endpoint. What it had not got yet is listed as undelivered.",
    role: "admin",
    params: endpointId,
    output: Endpoint,
  },
  revealEndpointSecret: {
    method: "GET",
    path: "/v1/endpoints/:id/secret",
    summary: "The secrets that sign now. Every look is audited.",
    role: "admin",
    params: endpointId,
    output: EndpointSecrets,
  },
  rotateEndpointSecret: {
    method: "POST",
    path: "/v1/endpoints/:id/secret/rotate",
    summary: "Makes a new signing key; the old ones sign beside it for a while.",
    role: "member",
    params: endpointId,
    body: RotateEndpointSecret,
    output: EndpointSecrets,
  },
  listEndpointPublicKeys: {
    method: "GET",
    path: "/v1/endpoints/:id/public-keys",
    summary: "The public keys that verify its Ed25519 signatures now, newest first.",
    role: "viewer",
    params: endpointId,
    output: EndpointPublicKeys,
  },
  getEndpointHealth: {
    method: "GET",
    path: "/v1/endpoints/:id/health",
    summary: "Its breaker, the pause it asked for, and what it failed lately.",
    role: "viewer",
    params: endpointId,
    output: EndpointHealth,
  },
  testEndpoint: {
    method: "POST",
    path: "/v1/endpoints/:id/test",
    summary: "Sends an example to the endpoint now, once, and says what it answered. Nothing of it is kept or counted.",
    role: "member",
    params: endpointId,
    body: TestEndpoint,
    output: TestedEndpoint,
  },
  previewMapping: {
    method: "POST",
    path: "/v1/mappings/preview",
    summary: "What a mapping makes of a message or an example. Nothing is sent or kept.",
    role: "viewer",
    body: PreviewMapping,
    output: PreviewedMapping,
  },
  listMessages: {
    method: "GET",
    path: "/v1/messages",
    summary: "What was sent or should have been, newest first.",
    role: "viewer",
    query: ListQuery.extend({
      type: z.string().max(100).optional(),
      call_id: idOf("call").optional(),
      /** `true`: only messages that went to no endpoint. */
      unrouted: z.enum(["true", "false"]).optional(),
    }),
    output: listOf(Message),
  },
  listMessageSamples: {
    method: "GET",
    path: "/v1/messages/samples",
    summary: "Bodies of messages of a type, of your newest ones if there are any, for setting a receiver up.",
    role: "viewer",
    query: z.strictObject({
      type: z.string().min(1).max(100).meta({ description: "An event type: `call.completed`, or one of your own." }),
      format: z.enum(["standard", "flat"]).default("standard"),
      language: z.enum(["en", "he"]).default("en").meta({ description: "Of the example, where there is no message." }),
    }),
    output: MessageSamples,
  },
  getMessage: {
    method: "GET",
    path: "/v1/messages/:id",
    summary: "One message with its bytes and its deliveries.",
    role: "viewer",
    params: messageId,
    output: MessageWithDeliveries,
  },
  listDeliveries: {
    method: "GET",
    path: "/v1/deliveries",
    summary: "Messages by endpoint, newest first. `state=undelivered` lists what never arrived.",
    role: "viewer",
    query: ListQuery.extend({
      state: DeliveryState.optional(),
      reason: UndeliveredReason.optional(),
      endpoint_id: idOf("endpoint").optional(),
      message_id: idOf("message").optional(),
      call_id: idOf("call").optional(),
      type: z.string().max(100).optional(),
    }),
    output: listOf(Delivery),
  },
  getDelivery: {
    method: "GET",
    path: "/v1/deliveries/:id",
    summary: "One delivery with all its attempts.",
    role: "viewer",
    params: deliveryId,
    output: DeliveryWithAttempts,
  },
  retryDelivery: {
    method: "POST",
    path: "/v1/deliveries/:id/retry",
    summary: "One attempt now. If it fails, the schedule goes on where it was.",
    role: "member",
    params: deliveryId,
    query: z.strictObject({
      force: z.enum(["true", "false"]).optional().meta({ description: "`true`: although the endpoint is disabled." }),
    }),
    output: Delivery,
    status: 202,
  },
} as const satisfies Record<string, Route>;
