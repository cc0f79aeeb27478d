import { expect, test } from "vitest";

import { brokenPromises, runKillLoop } from "./kill-loop.ts";

test(
  "nothing acknowledged is lost or done twice by a server that is killed up to 50 times in a minute under load",
  { timeout: 150_000 },
  async () => {
    const result = await runKillLoop({ cycles: 50, seed: 20_261_121, patienceMs: 15_000, timeMs: 60_000 });
    console.log(
      `${result.cycles} kills: ${result.acknowledged} acknowledged, ${result.lost.length} lost, ${result.doubled.length} doubled; ` +
        `${result.received} deliveries, ${result.repeated} repeated, ${result.stillDue} still due; ready again in ${result.recoveryMs.p50} ms`,
    );
    expect(brokenPromises(result)).toEqual({});
    expect(result.acknowledged).toBeGreaterThan(result.cycles);
  },
);
