import { expect, test } from "vitest";

import { runWorkerKills } from "./worker-kills.ts";

/** `AFTERCALL_TEST_KILLS=100` makes the long run of it: some ten minutes on two cores that nobody else uses. */
const kills = Number(process.env["AFTERCALL_TEST_KILLS"] ?? 2);

test(
  "workers that are killed with 500 attempts in flight lose nothing, and repeat no more than was in flight",
  { timeout: 120_000 + kills * 60_000 },
  async () => {
    const result = await runWorkerKills({ kills, seed: 20_261_121 });
    console.log(JSON.stringify(result));
    expect(result.missing).toEqual([]);
    // However many processes died with it, nothing is taken for what they died of.
    expect(result.listed).toEqual({});
    expect(result.duplicates).toBeLessThanOrEqual(result.inFlight.sum);
    expect(result.finishedAfterMs).toBeLessThan(60_000 + 10_000);
  },
);
