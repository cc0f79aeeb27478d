/**
 * The world outside the server, in a process of its own: providers that send and try again, and a customer who receives.
 * `node outside.ts <directory> <port of the server> <seed>` writes down what it tried, what was acknowledged and what it
 * received, each line before anything else happens, and never asks the server what should exist. Ends its sending on "finish"
 * from its parent, and itself on "end".
 */
import { appendFileSync, openSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { randomFraction } from "#/kernel/random.ts";

import { createRandom } from "../harness/random.ts";
import { numberIn, webhooksOf, type Webhook } from "./calls.ts";

/** Calls that are spoken of at the same time. */
const callsAtOnce = 8;
/** Tries that a provider makes before it gives up: few enough that some are never acknowledged. */
const triesMax = 40;
const pauseMs = 50;

const [directory = "", port = "", seed = "1"] = process.argv.slice(2);
const random = createRandom(Number(seed));
const files = {
  tried: openSync(join(directory, "tried.log"), "a"),
  acknowledged: openSync(join(directory, "acknowledged.log"), "a"),
  received: openSync(join(directory, "received.log"), "a"),
};
let isFinishing = false;
let lastNumber = 0;

const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    // Now and then a customer's server has a bad moment: nothing may be lost by that either. Not 503, which asks for a pause.
    if (randomFraction(random) < 0.02) {
      response.writeHead(500).end();
      return;
    }
    const body = Buffer.concat(chunks).toString();
    const type = (JSON.parse(body) as { type: string }).type;
    writeSync(files.received, `${String(request.headers["webhook-id"])} ${type} ${numberIn(body)}\n`);
    response.writeHead(200).end();
  });
});
receiver.listen(0, "127.0.0.1", () => process.send?.({ receiver: (receiver.address() as AddressInfo).port }));
process.on("message", (message) => {
  if (message === "start") void send();
  if (message === "finish") isFinishing = true;
  if (message === "end") process.exit(0);
});
process.on("disconnect", () => process.exit(0));

async function send(): Promise<void> {
  await Promise.all(Array.from({ length: callsAtOnce }, speak));
  process.send?.("finished");
}

async function speak(): Promise<void> {
  while (!isFinishing) {
    const webhooks = webhooksOf(++lastNumber);
    const delays = webhooks.map(() => Math.floor(randomFraction(random) * 4));
    await Promise.all(webhooks.map((webhook, index) => insist(webhook, delays[index] ?? 0)));
  }
}

/** Sends until it is acknowledged, the provider gives up or the run ends, as a provider that retries does. */
async function insist(webhook: Webhook, delayMs: number): Promise<void> {
  await sleep(delayMs);
  for (let tries = 0; tries < triesMax; tries++) {
    writeSync(files.tried, `${webhook.name}\n`);
    const status = await post(webhook);
    if (status >= 200 && status < 300) {
      writeSync(files.acknowledged, `${webhook.name}\n`);
      return;
    }
    if (status !== 0 && status !== 503) appendFileSync(join(directory, "refused.log"), `${webhook.name} ${status}\n`);
    if (isFinishing) return;
    await sleep(pauseMs);
  }
}

/** The status of the answer; 0 when there was none. */
async function post({ path, sign }: Webhook): Promise<number> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      ...sign(),
      signal: AbortSignal.timeout(15_000),
    });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return 0;
  }
}
