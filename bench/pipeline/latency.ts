import { setTimeout as sleep } from "node:timers/promises";

import { type Latency, latencyOf } from "../load/percentiles.ts";
import { type Bench, withServer } from "./bench.ts";

/** One call at a time on a server that has nothing else to do, with an endpoint for `call.completed`. */
export type Waits = {
  readonly calls: number;
  /** From the webhook to its answer. */
  readonly answered: Latency;
  /** From the webhook to `call.completed` at the receiver: kept, analysed, settled, signed and posted. */
  readonly completed: Latency;
};

const perSecond = 4;

export async function measureLatency(bench: Bench, calls: number): Promise<Waits> {
  const { loader, receiver, receiverUrl } = bench;
  return withServer(bench, "on", async (server) => {
    await server.ask("POST", "/v1/endpoints", { url: receiverUrl, types: ["call.completed"] });
    const load = { ...server.load, bodyBytes: 3_000 };
    const { port } = load;
    // Code is compiled before the clock starts.
    const warm = await loader.call("prepare", { ...load, count: 200 });
    await loader.call("closed", { port, connections: 4, seconds: 60 });
    await untilArrived(warm.first, 200);
    const { first } = await loader.call("prepare", { ...load, count: calls });
    const sent = await loader.call("open", { port, connections: 4, perSecond, seconds: calls / perSecond });
    await untilArrived(first, sent.accepted);
    const { arrivedMs } = await receiver.call("take", { first, count: sent.sent });
    const took = sent.intendedMs
      .slice(0, sent.sent)
      .map((intended, index) => (arrivedMs[index] ?? Number.NaN) - intended);
    return { calls: sent.accepted, answered: sent.latency, completed: latencyOf(took) };
  });

  async function untilArrived(first: number, count: number): Promise<void> {
    for (let arrived = 0; arrived < count;) {
      // oxlint-disable no-await-in-loop -- It is watched.
      ({ arrived } = await receiver.call("progress", { first, count }));
      if (arrived < count) await sleep(50);
      // oxlint-enable no-await-in-loop
    }
  }
}
