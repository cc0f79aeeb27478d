import { join } from "node:path";

import pg from "pg";

import { connectionFrom } from "../../server/src/db/connect.ts";
import { type Database, startDatabase } from "../machine/database.ts";
import { type Redis, startRedis } from "../machine/redis.ts";
import { type Remote, startRemote } from "../machine/remote.ts";
import type { Receiver } from "./receiver.ts";

/** What all parts of the benchmark of deliveries share. */
export type Bench = {
  readonly database: Database;
  /** Null where redis-server is not installed. */
  readonly redis: Redis | null;
  readonly receiver: Remote<Receiver>;
  /** Of the receiver. */
  readonly port: number;
  readonly bodyBytes: number;
  readonly logLevel: string;
  readonly profileDir: string | null;
  /** What autovacuum does in its time. */
  vacuum(name: string): Promise<void>;
  stop(): Promise<void>;
};

export type BenchOptions = Pick<Bench, "bodyBytes" | "logLevel" | "profileDir"> & { readonly withRedis: boolean };

export async function startBench(root: string, { withRedis, ...options }: BenchOptions): Promise<Bench> {
  const database = await startDatabase(process.env["DATABASE_URL"], join(root, ".aftercall", "bench-delivery"));
  const redis = withRedis ? await startRedis() : null;
  const receiver = startRemote<Receiver>(join(import.meta.dirname, "receiver.ts"));
  const { port } = await receiver.call("listen");
  return {
    ...options,
    database,
    redis,
    receiver,
    port,
    async vacuum(name) {
      const client = new pg.Client(connectionFrom(database.urlOf(name)));
      await client.connect();
      try {
        await client.query("vacuum (analyze) deliveries, messages, message_bodies");
      } finally {
        await client.end();
      }
    },
    async stop() {
      await Promise.all([receiver.stop(), redis?.stop()]);
      await database.stop();
    },
  };
}
