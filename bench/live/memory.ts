import { randomUUID } from "node:crypto";

import { openConnection } from "../load/connection.ts";
import type { Remote } from "../machine/remote.ts";
import type { Clients, Opening } from "./clients.ts";
import { apiKey, type LiveServer } from "./servers.ts";

/** Bytes of each connection of a kind. */
export type Cost = {
  readonly kind: Opening["kind"];
  readonly count: number;
  /** JavaScript objects and buffers, after a collection. */
  readonly objects: number;
  /** What the system gave the process for them, the allocators' reserves among it. */
  readonly resident: number;
};

/**
 * Opens so many clients of one kind at a server of their own and compares its memory with what it was before. The server has
 * been at work by then: requests of any kind make the young generation grow to its full size, tens of megabytes that would
 * otherwise be counted for the clients.
 */
export async function costOf(
  kind: Opening["kind"],
  count: number,
  server: LiveServer,
  clients: Remote<Clients>,
): Promise<Cost> {
  await work(server);
  const common = randomUUID();
  const open = (some: number) => {
    const calls = Array.from({ length: some }, () => randomUUID());
    return clients.call("open", { kind, port: server.port, key: apiKey, calls, common });
  };
  await open(Math.ceil(count / 20));
  const before = await server.memory();
  await open(count);
  const after = await server.memory();
  await clients.call("leave");
  return {
    kind,
    count,
    objects: (after.heap - before.heap) / count,
    resident: (after.resident - before.resident) / count,
  };
}

/** Many small requests, as many connections at once as a busy server has. */
async function work({ port }: LiveServer): Promise<void> {
  const request = Buffer.from(`GET /v1/whoami HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${apiKey}\r\n\r\n`);
  let left = 5_000;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      const connection = openConnection(port);
      while (left-- > 0) await new Promise((resolve) => connection.send([request], resolve));
      connection.close();
    }),
  );
}
