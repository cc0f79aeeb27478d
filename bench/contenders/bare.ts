import { startServer } from "../machine/server.ts";
import { webhookSecret } from "../servers/secret.ts";
import type { Contender } from "./contender.ts";

export const bare: Contender = {
  name: "bare",
  title: "1 · bare Fastify handler: verify and answer, nothing kept",
  delivers: false,
  needsRedis: false,
  async start() {
    const { port, pid, stop } = await startServer("bare.ts", {});
    return { port, pid, path: "/webhooks/bench", secret: webhookSecret, stop };
  },
};
