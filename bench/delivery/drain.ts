import { setTimeout as sleep } from "node:timers/promises";

import { type Latency, latencyOf } from "../load/percentiles.ts";
import { startAftercallSender } from "./aftercall-sender.ts";
import type { Bench } from "./bench.ts";
import { addFreshType, freshType, type FreshLoad, publishFresh } from "./fresh.ts";
import { originsOf } from "./target.ts";

export type Drain = {
  readonly retries: number;
  /** Until the last of them had arrived. */
  readonly seconds: number;
  /** Fresh messages to the same endpoint and to nine others, before there was a backlog and meanwhile. */
  readonly freshAlone: Latency;
  readonly freshMeanwhile: Latency;
};

/** An endpoint comes back and has `retries` due, all at once: how soon are they gone, and how late is what is new? */
export async function measureDrain(bench: Bench, retries: number, seconds: number): Promise<Drain> {
  const sender = await startAftercallSender(bench);
  try {
    await addFreshType(sender);
    const [back = "", ...others] = originsOf(bench.port, 10);
    const [recovering = ""] = await sender.addEndpoints([`${back}good`], { types: [freshType] });
    await sender.addEndpoints(
      others.map((url, n) => `${url}good/${n}`),
      { types: [freshType] },
    );
    const fresh = async (load: Pick<FreshLoad, "seconds" | "isOver">) => {
      const samples = await publishFresh(bench, sender, { perSecond: 40, receivers: 10, ...load });
      return latencyOf(Float64Array.from(samples));
    };
    await fresh({ seconds });
    await bench.receiver.call("clear");
    const freshAlone = await fresh({ seconds });

    await sender.sql("update endpoints set paused_at = now() where id = $1", [recovering]);
    await sender.addDue({ endpoints: [recovering], count: retries, bodyBytes: bench.bodyBytes, attempts: 1 });
    await bench.vacuum("bench_delivery");
    await bench.receiver.call("clear");
    const startedAt = performance.now();
    await sender.release();
    let isDrained = false;
    const drained = (async () => {
      for (let arrived = 0; arrived < retries; { arrived } = await bench.receiver.call("progress")) await sleep(20);
      isDrained = true;
      return (performance.now() - startedAt) / 1000;
    })();
    const freshMeanwhile = await fresh({ seconds: 120, isOver: () => isDrained });
    return { retries, seconds: await drained, freshAlone, freshMeanwhile };
  } finally {
    await sender.stop();
  }
}
