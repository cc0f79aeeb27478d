import { socketProtocol } from "@aftercall/contract/live.ts";
import websocket, { type WebSocket } from "@fastify/websocket";
import type { FastifyInstance, FastifyRequest } from "fastify";

import type { Clock } from "#/kernel/clock.ts";
import { Malformed } from "#/kernel/errors.ts";
import type { Log } from "#/kernel/log.ts";
import { liveLimits } from "#/live/limits.ts";
import { createSocket, type Guest, type Wire } from "#/live/socket.ts";

import { checkOrigin, type LiveRouteOptions, visitorOf } from "./live-stream.ts";
import { headersOf } from "./wire.ts";

export type SocketRouteOptions = LiveRouteOptions & { readonly log: Log };

declare module "fastify" {
  interface FastifyRequest {
    /** Set on an upgrade that brought a good token. */
    liveGuest?: Guest | null;
  }
}

/**
 * `GET /v1/ws`: the WebSocket. Compression is off: measured, it makes the slowest message 25 times slower and a connection
 * 20 times larger. The plug-in stays in a scope of its own, so that it changes no other route.
 */
export async function registerSocket(app: FastifyInstance, options: SocketRouteOptions): Promise<void> {
  const { auth, hub, resume, db, log, clock } = options;
  const authenticate = async (token: string) => visitorOf(await auth.caller([`Bearer ${token}`]));
  await app.register(async (scope) => {
    await scope.register(websocket, {
      options: {
        maxPayload: liveLimits.frameBytesMax,
        perMessageDeflate: false,
        handleProtocols: (offered) => (offered.has(socketProtocol) ? socketProtocol : false),
      },
      errorHandler: (_error, socket) => socket.terminate(),
      preClose(done) {
        for (const client of scope.websocketServer.clients)
          wireOf(client, clock).close(1001, "stopping: connect again");
        done();
      },
    });
    scope.route({
      method: "GET",
      url: "/v1/ws",
      onRequest: async (request) => {
        checkOrigin(request, options);
        const token = tokenIn(request);
        request.liveGuest = token === null ? null : { ...(await authenticate(token)), credential: `Bearer ${token}` };
      },
      handler: async () => {
        throw new Malformed(
          "This is a WebSocket: connect with an upgrade, as /docs/guides/live-updates shows",
          "bad_request",
        );
      },
      wsHandler(socket, request) {
        const wire = wireOf(socket, clock);
        const live = createSocket(wire, request.liveGuest ?? null, { hub, resume, db, log, authenticate });
        socket.on("message", (data, isBinary) => {
          if (isBinary) return wire.close(1003, "frames are text");
          live.hear(data.toString());
        });
        socket.on("pong", live.pong);
        socket.on("close", live.gone);
        if (!request.liveGuest) void clock.sleep(liveLimits.authenticateMs).then(live.lateForToken);
      },
    });
  });
}

/** The token that is offered as a subprotocol beside ours: a page cannot set headers, and a URL would end up in logs. */
function tokenIn(request: FastifyRequest): string | null {
  const offered = (headersOf(request.raw).get("sec-websocket-protocol") ?? []).join(",").split(",");
  const token = offered.map((name) => name.trim()).find((name) => name.startsWith("bearer."));
  return token?.slice("bearer.".length) ?? null;
}

function wireOf(socket: WebSocket, clock: Clock): Wire {
  return {
    send: (text) => socket.send(text),
    get pendingBytes() {
      return socket.bufferedAmount;
    },
    ping: () => socket.ping(),
    close(code, reason) {
      socket.close(code, reason);
      void clock.sleep(liveLimits.partingMs).then(() => socket.terminate());
    },
  };
}
