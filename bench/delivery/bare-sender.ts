import { createHmac, createSecretKey, randomBytes } from "node:crypto";

import { Agent } from "undici";

import { serve } from "../machine/remote.ts";
import { bodyOf } from "./target.ts";

/** The least that sending webhooks takes: sign, post on kept-alive connections, read the answer. Nothing is kept. */
export type BareSender = {
  send(input: { urls: readonly string[]; count: number; bodyBytes: number; inFlight: number }): Promise<{ ms: number }>;
};

const key = createSecretKey(randomBytes(32));
const agent = new Agent({ pipelining: 1 });

const handlers: BareSender = {
  async send({ urls, count, bodyBytes, inFlight }) {
    const body = bodyOf(bodyBytes);
    const targets = urls.map((text) => new URL(text));
    const run = Math.random().toString(36).slice(2);
    const startedAt = performance.now();
    let next = 0;
    const lane = async () => {
      while (next < count) {
        const number = next++;
        const target = targets[number % targets.length];
        if (target) await post(target, `msg_${run}_${number}`, body);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    return { ms: performance.now() - startedAt };
  },
};
serve(handlers);

async function post(url: URL, id: string, body: Buffer): Promise<void> {
  const time = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", key).update(`${id}.${time}.`).update(body).digest("base64");
  const answer = await agent.request({
    origin: url.origin,
    path: url.pathname,
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": "bench",
      "webhook-id": id,
      "webhook-timestamp": String(time),
      "webhook-signature": `v1,${signature}`,
    },
    body,
  });
  await answer.body.dump();
  if (answer.statusCode !== 200) throw new Error(`The receiver answered ${answer.statusCode}`);
}
