import { createHmac } from "node:crypto";
import { Agent } from "node:http";

import axios from "axios";
import { Worker } from "bullmq";
import type { Redis } from "ioredis";
import type pg from "pg";

export type Job = { readonly eventId: string; readonly payload: unknown };

/** The worker of the usual stack: signs, posts with axios, updates the row. */
export function startAlternativeWorker(connection: Redis, pool: pg.Pool, targetOf: (job: Job) => string): Worker<Job> {
  const http = axios.create({ httpAgent: new Agent({ keepAlive: true, maxSockets: 64 }), timeout: 15_000 });
  return new Worker<Job>(
    "deliveries",
    async ({ data }) => {
      const { eventId, payload } = data;
      const body = JSON.stringify(payload);
      const time = Math.floor(Date.now() / 1000);
      const signature = createHmac("sha256", "outgoing").update(`${eventId}.${time}.${body}`).digest("base64");
      await http.post(targetOf(data), body, {
        headers: {
          "content-type": "application/json",
          "webhook-id": eventId,
          "webhook-timestamp": time,
          "webhook-signature": `v1,${signature}`,
        },
      });
      await pool.query("update webhook_events set status = 'delivered', delivered_at = now() where id = $1", [eventId]);
    },
    { connection, concurrency: 50 },
  );
}

/** Its one table. */
export async function createAlternativeTable(pool: pg.Pool): Promise<void> {
  await pool.query(`create table if not exists webhook_events (
    id bigserial primary key,
    conversation_id text not null unique,
    payload jsonb not null,
    status text not null default 'received',
    received_at timestamptz not null default now(),
    delivered_at timestamptz
  )`);
}

export const jobOptions = {
  attempts: 5,
  backoff: { type: "exponential", delay: 1000 },
  removeOnComplete: true,
} as const;
