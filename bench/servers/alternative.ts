import { createHmac, timingSafeEqual } from "node:crypto";

import { Queue } from "bullmq";
import express, { type Request } from "express";
import { Redis } from "ioredis";
import pg from "pg";

import { createAlternativeTable, type Job, jobOptions, startAlternativeWorker } from "./alternative-worker.ts";
import { webhookSecret } from "./secret.ts";

// What people write when they need this in an afternoon, with the usual advice followed: raw body for the signature, unique
// key against repeats, queue for the delivery, keep-alive for the client, one process (faster here than web and worker apart).
const env = (name: string) => process.env[name] ?? "";
const pool = new pg.Pool({ connectionString: env("DATABASE_URL"), max: 20 });
await createAlternativeTable(pool);
const connection = new Redis({ port: Number(env("REDIS_PORT")), maxRetriesPerRequest: null });
const queue = new Queue<Job>("deliveries", { connection });

type Payload = { readonly data: { readonly conversation_id: string } };

const app = express();
app.use(
  express.json({
    limit: "10mb",
    verify: (request, _response, bytes) => {
      (request as Request & { rawBody?: Buffer }).rawBody = bytes;
    },
  }),
);
app.post("/webhooks/bench", async (request: Request & { rawBody?: Buffer }, response) => {
  const [, time, digest] = /^t=(\d+),v0=([0-9a-f]{64})$/.exec(request.get("elevenlabs-signature") ?? "") ?? [];
  if (!time || !digest || !request.rawBody) {
    response.status(401).json({ error: "Invalid signature" });
    return;
  }
  const expected = createHmac("sha256", webhookSecret).update(`${time}.`).update(request.rawBody).digest();
  if (!timingSafeEqual(expected, Buffer.from(digest, "hex"))) {
    response.status(401).json({ error: "Invalid signature" });
    return;
  }
  const payload = request.body as Payload;
  const { rows } = await pool.query<{ id: string }>(
    "insert into webhook_events (conversation_id, payload) values ($1, $2) on conflict (conversation_id) do nothing returning id",
    [payload.data.conversation_id, payload],
  );
  const eventId = rows[0]?.id;
  if (eventId !== undefined) {
    await queue.add("deliver", { eventId, payload }, jobOptions);
  }
  response.json({ status: "ok" });
});

const target = env("TARGET_URL");
if (target) startAlternativeWorker(connection, pool, () => target);

app.listen(Number(env("PORT")), "127.0.0.1", () => process.send?.("ready"));
process.once("SIGTERM", () => process.exit(0));
