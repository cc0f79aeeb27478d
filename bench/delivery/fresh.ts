import { setTimeout as sleep } from "node:timers/promises";

import { nowMs } from "../load/clock.ts";
import type { AftercallSender } from "./aftercall-sender.ts";
import type { Bench } from "./bench.ts";

/** The event type of the messages that are published while something else goes on. */
export const freshType = "bench.fresh";

export async function addFreshType(sender: AftercallSender): Promise<void> {
  await sender.ask("POST", "/v1/event-types", { name: freshType, description: "Published by the benchmark" });
}

export type FreshLoad = {
  readonly perSecond: number;
  readonly seconds: number;
  readonly receivers: number;
  readonly isOver?: () => boolean;
};

/**
 * Publishes so many messages a second, whatever the answers do, and gives the milliseconds from the planned moment of each to
 * its arrival at every path that begins with `/good`. Each must arrive at `receivers` of them. `isOver`: there is no need for more.
 */
export async function publishFresh(
  bench: Bench,
  sender: AftercallSender,
  { perSecond, seconds, receivers, isOver = () => false }: FreshLoad,
): Promise<number[]> {
  const count = perSecond * seconds;
  const startedAt = nowMs() + 50;
  const data = { text: "x".repeat(bench.bodyBytes) };
  const planned = new Map<string, number>();
  const asked: Promise<void>[] = [];
  for (let n = 0; n < count && !isOver(); n++) {
    const at = startedAt + (n * 1000) / perSecond;
    while (nowMs() < at) await sleep(1);
    const published = sender.ask<{ id: string }>("POST", "/v1/messages", { type: freshType, data });
    asked.push(published.then(({ id }) => void planned.set(id, at)));
  }
  await Promise.all(asked);
  for (let tries = 0; ; tries++) {
    const { keys, atMs } = await bench.receiver.call("take");
    const samples = keys.flatMap((key, index) => {
      const [path = "", id = ""] = key.split(" ");
      const at = planned.get(id);
      return at === undefined || !path.startsWith("/good") ? [] : (atMs[index] ?? Number.NaN) - at;
    });
    if (samples.length === asked.length * receivers) return samples;
    if (tries > 600) throw new Error(`${samples.length} of ${asked.length * receivers} fresh messages arrived`);
    await sleep(50);
  }
}
