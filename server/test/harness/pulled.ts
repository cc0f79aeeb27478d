import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect } from "vitest";

import { systemClock } from "#/kernel/clock.ts";

import type { Customer } from "./customer.ts";
import type { Receiver } from "./receiver.ts";

/** An answer of a provider's API, as it gives it. */
export function pulledFixture(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../fixtures/pulled/${name}`, import.meta.url)), "utf8");
}

/** Plays a provider's API: answers by the end of the path that is asked for, 404 to everything else. */
export function playApi(api: Receiver, answers: Readonly<Record<string, string>>): void {
  api.answer(({ path }) => {
    const [asked = ""] = path.split("?");
    const found = Object.entries(answers).find(([end]) => asked.endsWith(end));
    return found ? { status: 200, headers: { "content-type": "application/json" }, body: found[1] } : { status: 404 };
  });
}

/** Asks the provider now, and resolves with what the list of sources, and the source itself, say about it afterwards. */
export async function pullNow(customer: Customer, id: string) {
  const before = await pulledBy(customer, id);
  await customer.post(`/v1/sources/${id}/pull`, undefined);
  for (;;) {
    const now = await pulledBy(customer, id);
    if (now && now.polled_at !== before?.polled_at) {
      expect((await customer.get(`/v1/sources/${id}`)).pull).toEqual(now);
      return now;
    }
    await systemClock.sleep(20);
  }
}

async function pulledBy(customer: Customer, id: string) {
  const { data } = await customer.get("/v1/sources");
  return data.find((source: { id: string }) => source.id === id)?.pull ?? null;
}

/** How often `call.completed` was sent, once nothing is being made of any call. */
export async function completedMessages(customer: Customer): Promise<number> {
  await customer.settled();
  const { data } = await customer.get("/v1/messages?limit=100");
  return data.filter((message: { type: string }) => message.type === "call.completed").length;
}
