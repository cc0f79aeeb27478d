import type { WebSocket } from "@fastify/websocket";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { Clock } from "#/kernel/clock.ts";
import { Forbidden, Malformed, Unauthorized } from "#/kernel/errors.ts";
import type { Log } from "#/kernel/log.ts";
import { liveLimits } from "#/live/limits.ts";
import { createSocket, type Guest, type Wire } from "#/live/socket.ts";

import { admit } from "./admit.ts";
import { checkOrigin, type LiveRouteOptions, visitorOf } from "./live-stream.ts";
import { closeSoon, letGo } from "./sockets.ts";
import { headersOf } from "./wire.ts";

export type SocketRouteOptions = LiveRouteOptions & { readonly log: Log };

type Opening = { readonly guest: Guest | null; readonly refusal: string | null };

declare module "fastify" {
  interface FastifyRequest {
    /** Set on an upgrade: who brought a good token with it, or why it was none. */
    opening?: Opening;
  }
}

/** `GET /v1/ws`: the WebSocket of those who follow what happens. */
export function registerSocket(scope: FastifyInstance, options: SocketRouteOptions): void {
  const { auth, hub, resume, db, log, clock } = options;
  scope.route({
    method: "GET",
    url: "/v1/ws",
    onRequest: async (request, reply) => {
      checkOrigin(request, options);
      request.opening = await open(request, reply);
      request.upgraded = reply.raw;
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
        authenticate: async (token) => visitorOf(await auth.caller([`Bearer ${token}`], address)),
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

  /**
   * A page cannot see how an opening was answered, so a token that does not count opens a connection that ends at once with the
   * reason. Whoever tries too many of them is answered 429 before that, and so is who opens more than they may read.
   */
  async function open(request: FastifyRequest, reply: FastifyReply): Promise<Opening> {
    const token = tokenIn(request);
    if (token === null) return { guest: null, refusal: null };
    try {
      const credential = `Bearer ${token}`;
      const visitor = visitorOf(await admit(request, reply, options, [credential]));
      return { guest: { ...visitor, credential }, refusal: null };
    } catch (error) {
      if (!request.ws || !(error instanceof Unauthorized || error instanceof Forbidden)) throw error;
      return { guest: null, refusal: error.message };
    }
  }
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
    close: (code, reason) => closeSoon(socket, clock, code, reason),
  };
}
