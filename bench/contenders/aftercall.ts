import { startAftercall } from "../machine/aftercall.ts";
import { webhookSecret } from "../servers/secret.ts";
import type { Contender, Running, Surroundings } from "./contender.ts";

/** Everything that aftercall does with a call that nobody subscribed to: log, call record, transcript, message. */
export const intake: Contender = {
  name: "intake",
  title: "3 · aftercall: intake",
  delivers: false,
  needsRedis: false,
  start: (surroundings) => start(surroundings, null),
};

export const delivery: Contender = {
  name: "delivery",
  title: "4 · aftercall: end to end",
  delivers: true,
  needsRedis: false,
  start: (surroundings) => start(surroundings, surroundings.receiverUrl),
};

const databaseName = "bench_aftercall";

async function start(surroundings: Surroundings, receiverUrl: string | null): Promise<Running> {
  const { database, logLevel, profileDir } = surroundings;
  const server = await startAftercall({ databaseUrl: await database.create(databaseName), logLevel, profileDir });
  await server.ask("POST", "/v1/sources", {
    slug: "bench",
    provider: "elevenlabs",
    secrets: [{ slot: "secret", value: webhookSecret }],
  });
  if (receiverUrl) {
    await server.ask("POST", "/v1/endpoints", { url: receiverUrl, types: ["call.completed"], in_flight_max: 64 });
  }
  return {
    port: server.port,
    path: "/webhooks/bench",
    secret: webhookSecret,
    pid: server.pid,
    async stop() {
      await server.stop();
      await database.drop(databaseName);
    },
  };
}
