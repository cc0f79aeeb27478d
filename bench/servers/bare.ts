import { createHmac, timingSafeEqual } from "node:crypto";

import Fastify from "fastify";

import { webhookSecret } from "./secret.ts";

// The least that a receiver of signed webhooks can do: take the bytes, verify them, answer. Nothing is kept.
const app = Fastify({ logger: false });
app.removeAllContentTypeParsers();
app.addContentTypeParser("application/json", { parseAs: "buffer", bodyLimit: 10_000_000 }, (_request, body, done) =>
  done(null, body),
);
app.post<{ Body: Buffer }>("/webhooks/bench", (request, reply) => {
  const header = request.headers["elevenlabs-signature"];
  const [, time, digest] = /^t=(\d+),v0=([0-9a-f]{64})$/.exec(typeof header === "string" ? header : "") ?? [];
  if (!time || !digest) return reply.code(401).send("");
  const expected = createHmac("sha256", webhookSecret).update(`${time}.`).update(request.body).digest();
  if (!timingSafeEqual(expected, Buffer.from(digest, "hex"))) return reply.code(401).send("");
  return reply.code(200).type("application/json").send('{"status":"ok"}');
});
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
process.once("SIGTERM", () => process.exit(0));
process.send?.("ready");
