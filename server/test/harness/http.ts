import { connect } from "node:net";
import type { AddressInfo } from "node:net";

import type { FastifyInstance } from "fastify";

import { closeServer, createServer, type ServerOptions } from "#/http/server.ts";
import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { createLog } from "#/kernel/log.ts";
import { createMetrics } from "#/kernel/metrics.ts";

export type TestHttp = {
  readonly url: string;
  readonly port: number;
  /** What was logged, one object per line. */
  readonly lines: readonly Record<string, unknown>[];
  close(): Promise<void>;
};

/** The real HTTP server on a free port of loopback, with the routes that `register` gives it. */
export async function startHttp(
  register: (app: FastifyInstance) => void | Promise<void>,
  options: Partial<ServerOptions> = {},
): Promise<TestHttp> {
  const lines: Record<string, unknown>[] = [];
  const app = createServer({
    publicUrl: "https://calls.example.com",
    trustedProxies: [],
    log: createLog({ destination: { write: (line) => void lines.push(JSON.parse(line)) } }),
    clock: systemClock,
    ids: createIds(systemClock),
    metrics: createMetrics(),
    ...options,
  });
  await register(app);
  await app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, lines, close: () => closeServer(app, systemClock, 2_000) };
}

/** Tests wait for what becomes of calls; a connection that was idle meanwhile may be closed in the moment it is used again. */
export const ownConnection = { connection: "close" };

/** Sends bytes as they are and gives everything that came back until the server closed the connection. */
export function exchange(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

/** The status codes in a raw exchange, in order. */
export function statusesOf(raw: string): number[] {
  return [...raw.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
}
