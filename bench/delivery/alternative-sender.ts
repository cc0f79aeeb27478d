import { Queue } from "bullmq";
import { Redis } from "ioredis";
import pg from "pg";

import { serve } from "../machine/remote.ts";
import { createAlternativeTable, type Job, jobOptions, startAlternativeWorker } from "../servers/alternative-worker.ts";
import { bodyOf } from "./target.ts";

/** The worker of the usual stack with a queue that is filled before it starts. */
export type AlternativeSender = {
  open(input: { databaseUrl: string; redisPort: number }): Promise<void>;
  fill(input: { count: number; bodyBytes: number }): Promise<void>;
  /** Works until the queue is empty. */
  drain(input: { urls: readonly string[]; count: number }): Promise<{ ms: number }>;
};

type Opened = { readonly pool: pg.Pool; readonly connection: Redis; readonly queue: Queue<Job> };
let opened: Opened | undefined;
let filled = 0;

const handlers: AlternativeSender = {
  async open({ databaseUrl, redisPort }) {
    const connection = new Redis({ port: redisPort, maxRetriesPerRequest: null });
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 20 });
    await createAlternativeTable(pool);
    opened = { pool, connection, queue: new Queue<Job>("deliveries", { connection }) };
  },
  async fill({ count, bodyBytes }) {
    const { pool, queue } = theOpened();
    const payload: unknown = JSON.parse(bodyOf(bodyBytes).toString());
    for (let done = 0; done < count; done += 1_000) {
      const names = Array.from({ length: Math.min(1_000, count - done) }, () => `conv_${filled++}`);
      const { rows } = await pool.query<{ id: string }>(
        "insert into webhook_events (conversation_id, payload) select name, $2 from unnest($1::text[]) as name returning id",
        [names, payload],
      );
      await queue.addBulk(
        rows.map(({ id }) => ({ name: "deliver", data: { eventId: id, payload }, opts: jobOptions })),
      );
    }
  },
  async drain({ urls, count }) {
    const { pool, connection } = theOpened();
    const startedAt = performance.now();
    let done = 0;
    const ended = Promise.withResolvers<void>();
    const worker = startAlternativeWorker(connection, pool, ({ eventId }) => urls[Number(eventId) % urls.length] ?? "");
    worker.on("completed", () => ++done === count && ended.resolve());
    worker.on("failed", (_job, error) => ended.reject(error));
    await ended.promise;
    const ms = performance.now() - startedAt;
    await worker.close();
    return { ms };
  },
};
serve(handlers);

function theOpened(): Opened {
  if (!opened) throw new Error("Not open yet");
  return opened;
}
