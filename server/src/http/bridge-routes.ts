import type { FastifyInstance } from "fastify";

import type { Bridge } from "#/bridge/bridge.ts";
import type { BridgedSource } from "#/bridge/deps.ts";
import { Malformed } from "#/kernel/errors.ts";
import { listenTo } from "#/kernel/net/web-socket.ts";
import type { ProviderRequest } from "#/providers/provider.ts";

import { send } from "./intake.ts";
import { letGo } from "./sockets.ts";
import { headersOf, targetOf } from "./wire.ts";

export type BridgeRouteOptions = { readonly bridge: Bridge; readonly publicUrl: string; readonly bodyBytesMax: number };

declare module "fastify" {
  interface FastifyRequest {
    /** Set on the upgrade of a media stream. */
    bridged?: BridgedSource;
  }
}

/** `POST /webhooks/:source/voice`: what Twilio asks when a call comes in, answered in TwiML. */
export function registerVoice(app: FastifyInstance, { bridge, publicUrl, bodyBytesMax }: BridgeRouteOptions): void {
  app.route<{ Params: { source: string } }>({
    method: "POST",
    url: "/webhooks/:source/voice",
    onRequest: (request, _reply, done) => {
      request.facts["source"] = request.params.source;
      request.content = { accepts: ["form"], bytesMax: bodyBytesMax };
      done();
    },
    handler: async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const { raw, ip } = request;
      return send(reply, await bridge.answer(request.params.source, requestOf(raw, publicUrl, body), ip));
    },
  });
}

/** `GET /webhooks/:source/stream`: the media stream of a call, a WebSocket. */
export function registerMediaStream(scope: FastifyInstance, { bridge, publicUrl }: BridgeRouteOptions): void {
  scope.route<{ Params: { source: string } }>({
    method: "GET",
    url: "/webhooks/:source/stream",
    onRequest: async (request, { raw: response }) => {
      request.facts["source"] = request.params.source;
      const asked = requestOf(request.raw, publicUrl, Buffer.alloc(0));
      request.bridged = await bridge.admit(request.params.source, asked);
      request.upgraded = response;
    },
    handler: async () => {
      throw new Malformed("This is a WebSocket, which Twilio opens for a call", "bad_request");
    },
    wsHandler(socket, request) {
      const { bridged } = request;
      letGo(socket, request);
      if (!bridged) return socket.terminate();
      const wire = listenTo(socket, {
        opened: () => {},
        heard: (text) => stream.hear(text),
        pong: () => stream.pong(),
        closed: () => stream.closed(),
      });
      const stream = bridge.open(wire, bridged);
    },
  });
}

function requestOf(raw: Parameters<typeof targetOf>[0], publicUrl: string, body: Buffer): ProviderRequest {
  // Never from Host or X-Forwarded-*: a signature over the URL is over the one that Twilio was given.
  return { method: raw.method ?? "GET", url: publicUrl + targetOf(raw), headers: headersOf(raw), body };
}
