import { type Latency, latencyOf } from "../load/percentiles.ts";
import { startAftercallSender } from "./aftercall-sender.ts";
import type { Bench } from "./bench.ts";
import { addFreshType, freshType, publishFresh } from "./fresh.ts";
import { originsOf } from "./target.ts";

/** All turns of each kind together, and how many messages that were. */
export type Neighbour = { readonly without: Latency; readonly withOne: Latency; readonly messages: number };

/**
 * Nine endpoints that answer at once, and in every second turn a tenth that never answers: how late are the nine? The turns are
 * short and many, and their samples count together: a single turn decides its p99 by what else the machine did in that second.
 */
export async function measureNeighbour(bench: Bench, seconds: number, rounds: number): Promise<Neighbour> {
  const sender = await startAftercallSender(bench);
  try {
    await addFreshType(sender);
    const [tenth = "", ...nine] = originsOf(bench.port, 10);
    await sender.addEndpoints(
      nine.map((url, n) => `${url}good/${n}`),
      { types: [freshType] },
    );
    const { id } = await sender.ask<{ id: string }>("POST", "/v1/endpoints", {
      url: `${tenth}hang`,
      types: [freshType],
      timeout_ms: 30_000,
    });
    const turn = async (hasNeighbour: boolean) => {
      await sender.ask("PATCH", `/v1/endpoints/${id}`, { is_enabled: hasNeighbour });
      await bench.receiver.call("clear");
      return publishFresh(bench, sender, { perSecond: 40, seconds, receivers: 9 });
    };
    await turn(false);
    await turn(true);
    const samples = { without: [] as number[], withOne: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      samples.without.push(...(await turn(false)));
      samples.withOne.push(...(await turn(true)));
    }
    return {
      without: latencyOf(Float64Array.from(samples.without)),
      withOne: latencyOf(Float64Array.from(samples.withOne)),
      messages: 40 * seconds * rounds,
    };
  } finally {
    await sender.stop();
  }
}
