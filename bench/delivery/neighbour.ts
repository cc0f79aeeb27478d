import { type Latency, type Spread, spreadOf } from "../load/percentiles.ts";
import { startAftercallSender } from "./aftercall-sender.ts";
import type { Bench } from "./bench.ts";
import { addFreshType, freshType, publishFresh } from "./fresh.ts";
import { originsOf } from "./target.ts";

export type Neighbour = { readonly without: Latency[]; readonly withOne: Latency[]; readonly p99Ratio: Spread };

/** Nine endpoints that answer at once, and in every second turn a tenth that never answers: how late are the nine? */
export async function measureNeighbour(bench: Bench, seconds: number, rounds: number): Promise<Neighbour> {
  const sender = await startAftercallSender(bench);
  try {
    await addFreshType(sender);
    const [tenth = "", ...nine] = originsOf(bench.port, 10);
    await sender.addEndpoints(
      nine.map((url, n) => `${url}good/${n}`),
      { types: [freshType] },
    );
    const turn = () => publishFresh(bench, sender, { perSecond: 40, seconds, receivers: 9 });
    await turn();
    const without: Latency[] = [];
    const withOne: Latency[] = [];
    for (let round = 0; round < rounds; round++) {
      await bench.receiver.call("clear");
      without.push(await turn());
      const hanging = { url: `${tenth}hang`, types: [freshType], timeout_ms: 30_000 };
      const { id } = await sender.ask<{ id: string }>("POST", "/v1/endpoints", hanging);
      await bench.receiver.call("clear");
      withOne.push(await turn());
      await sender.ask("PATCH", `/v1/endpoints/${id}`, { is_enabled: false });
    }
    const p99Ratio = spreadOf(withOne.map(({ p99 }, round) => p99 / (without[round]?.p99 ?? Number.NaN)));
    return { without, withOne, p99Ratio };
  } finally {
    await sender.stop();
  }
}
