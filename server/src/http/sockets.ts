import type { ServerResponse } from "node:http";

import { socketProtocol } from "@aftercall/contract/live-frames.ts";
import websocket, { type WebSocket } from "@fastify/websocket";
import type { FastifyInstance, FastifyRequest } from "fastify";

import type { Clock } from "#/kernel/clock.ts";
import { liveLimits } from "#/live/limits.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set on an upgrade: the response that became a connection. */
    upgraded?: ServerResponse;
  }
}

/**
 * Every WebSocket that this server answers. The plug-in listens for upgrades of the whole server, so it is there once, in a scope of
 * its own, and changes no other route. Compression is off: measured, it makes the slowest message 25 times slower and a connection 20
 * times larger.
 */
export async function registerSockets(
  app: FastifyInstance,
  clock: Clock,
  routes: readonly ((scope: FastifyInstance) => void)[],
): Promise<void> {
  await app.register(async (scope) => {
    await scope.register(websocket, {
      options: {
        maxPayload: liveLimits.frameBytesMax,
        perMessageDeflate: false,
        handleProtocols: (offered) => (offered.has(socketProtocol) ? socketProtocol : false),
      },
      errorHandler: (_error, socket) => socket.terminate(),
      preClose(done) {
        for (const client of scope.websocketServer.clients) closeSoon(client, clock, 1001, "stopping: connect again");
        done();
      },
    });
    for (const register of routes) register(scope);
  });
}

/** Says why, and ends it anyway when the other side does not answer soon. */
export function closeSoon(socket: WebSocket, clock: Clock, code: number, reason: string): void {
  socket.close(code, reason);
  void clock.sleep(liveLimits.partingMs).then(() => socket.terminate());
}

/**
 * Forgets request and response, which were answered by the upgrade. They would stay as long as the connection, held by the
 * plug-in's listener for errors and by the socket: a third of what a connection takes.
 */
export function letGo(socket: WebSocket, { raw, upgraded }: FastifyRequest): void {
  socket.removeAllListeners("error");
  socket.on("error", terminate);
  upgraded?.detachSocket(raw.socket);
}

function terminate(this: WebSocket): void {
  this.terminate();
}
