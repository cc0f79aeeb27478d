import { startServer } from "../machine/server.ts";
import { webhookSecret } from "../servers/secret.ts";
import type { Contender, Surroundings } from "./contender.ts";

/** Takes in and queues; nobody works on the queue meanwhile. */
export const alternative: Contender = {
  name: "alternative",
  title: "2 · Express + pg + BullMQ: intake",
  delivers: false,
  needsRedis: true,
  start: (surroundings) => start(surroundings, ""),
};

export const alternativeDelivery: Contender = {
  name: "alternative-delivery",
  title: "2e · Express + pg + BullMQ + axios: end to end",
  delivers: true,
  needsRedis: true,
  start: (surroundings) => start(surroundings, surroundings.receiverUrl),
};

const databaseName = "bench_alternative";

async function start({ database, redis }: Surroundings, targetUrl: string) {
  if (!redis) throw new Error("The alternative needs Redis");
  const { port, pid, stop } = await startServer("alternative.ts", {
    DATABASE_URL: await database.create(databaseName),
    REDIS_PORT: String(redis.port),
    TARGET_URL: targetUrl,
  });
  return {
    port,
    pid,
    path: "/webhooks/bench",
    secret: webhookSecret,
    async stop() {
      await stop();
      await redis.flush();
      await database.drop(databaseName);
    },
  };
}
