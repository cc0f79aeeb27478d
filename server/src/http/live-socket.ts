import type { ServerResponse } from "node:http";

import { socketProtocol } from "@aftercall/contract/live.ts";
import websocket, { type WebSocket } from "@fastify/websocket";
import type { FastifyInstance, FastifyRequest } from "fastify";

import type { Clock } from "#/kernel/clock.ts";
import { Forbidden, Malformed, Unauthorized } from "#/kernel/errors.ts";
import type { Log } from "#/kernel/log.ts";
import { liveLimits } from "#/live/limits.ts";
import { createSocket, type Guest, type Wire } from "#/live/socket.ts";

import { checkOrigin, type LiveRouteOptions, visitorOf } from "./live-stream.ts";
import { headersOf } from "./wire.ts";

export type SocketRouteOptions = LiveRouteOptions & { readonly log: Log };

type Opening = { readonly guest: Guest | null; readonly refusal: string | null };

declare module "fastify" {
  interface FastifyRequest {
    /** Set on an upgrade: who brought a good token with it, or why it was none, and the response that became a connection. */
    opening?: Opening & { readonly response: ServerResponse };
  }
}

/**
 * `GET /v1/ws`: the WebSocket. Compression is off: measured, it makes the slowest message 25 times slower and a connection
 * 20 times larger. The plug-in stays in a scope of its own, so that it changes no other route.
 */
export async function registerSocket(app: FastifyInstance, options: SocketRouteOptions): Promise<void> {
  const { auth, hub, resume, db, log, clock } = options;
  const authenticate = async (token: string, address: string) =>
    visitorOf(await auth.caller([`Bearer ${token}`], address));
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
      onRequest: async (request, { raw: response }) => {
        checkOrigin(request, options);
        request.opening = { ...(await open(request)), response };
      },
      handler: async () => {
        throw new Malformed(
          "This is a WebSocket: connect with an upgrade, as /docs/guides/live-updates shows",
          "bad_request",
        );
      },
      wsHandler(socket, request) {
        const { guest = null, refusal = null } = request.opening ?? {};
        const { ip: address } = request;
        letGo(socket, request);
        const wire = wireOf(socket, clock);
        const live = createSocket(wire, guest, {
          ...{ hub, resume, db, log },
          authenticate: (token) => authenticate(token, address),
        });
        socket.on("message", (data, isBinary) => {
          if (isBinary) return wire.close(1003, "frames are text");
          live.hear(data.toString());
        });
        socket.on("pong", live.pong);
        socket.on("close", live.gone);
        if (refusal !== null) live.refuse(refusal);
        else if (!guest) void clock.sleep(liveLimits.authenticateMs).then(live.lateForToken);
      },
    });
  });

  /**
   * A page cannot see how an opening was answered, so a token that does not count opens a connection that ends at once with the
   * reason. Whoever tries too many of them is answered 429 before that.
   */
  async function open(request: FastifyRequest): Promise<Opening> {
    const token = tokenIn(request);
    if (token === null) return { guest: null, refusal: null };
    try {
      const visitor = await authenticate(token, request.ip);
      return { guest: { ...visitor, credential: `Bearer ${token}` }, refusal: null };
    } catch (error) {
      if (!request.ws || !(error instanceof Unauthorized || error instanceof Forbidden)) throw error;
      return { guest: null, refusal: error.message };
    }
  }
}

/**
 * Forgets request and response, which were answered by the upgrade. They would stay as long as the connection, held by the
 * plug-in's listener for errors and by the socket: a third of what a connection takes.
 */
function letGo(socket: WebSocket, { raw, opening }: FastifyRequest): void {
  socket.removeAllListeners("error");
  socket.on("error", terminate);
  opening?.response.detachSocket(raw.socket);
}

function terminate(this: WebSocket): void {
  this.terminate();
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
