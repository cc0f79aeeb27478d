/**
 * Kills the server again and again while webhooks come in, and proves from outside that nothing acknowledged was lost.
 * `node server/test/faults/kill-loop.ts [--cycles 200] [--seed 7]` prints the verdict and exits 1 when a promise was broken.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { randomFraction } from "#/kernel/random.ts";

import { createRandom } from "../harness/random.ts";
import { faultSecrets, faultSources } from "./calls.ts";
import { judge, type Verdict } from "./judge.ts";
import { type PublicApi, publicApi } from "./public-api.ts";
import { endDatabase, startVictim, type Victim } from "./victim.ts";

export type KillLoopOptions = {
  readonly cycles: number;
  /** Decides the moments of the kills and what the outside does; the same seed, the same plan. */
  readonly seed: number;
  /** The longest a server lives after it is ready. */
  readonly lifeMsMax?: number;
  /** How long deliveries may still come after the last kill. Claims of a killed process run out after a minute. */
  readonly patienceMs: number;
  /** Starts no further cycle after this time. */
  readonly timeMs?: number;
};

export type KillLoopResult = Verdict & {
  readonly cycles: number;
  /** From the start of a server after a kill until it takes requests. */
  readonly recoveryMs: { readonly p50: number; readonly max: number };
};

/** Runs the loop in a new directory, on a new database with `fsync` on, and leaves nothing behind. */
export async function runKillLoop(options: KillLoopOptions): Promise<KillLoopResult> {
  const { cycles, seed, lifeMsMax = 400, patienceMs, timeMs = Number.POSITIVE_INFINITY } = options;
  const directory = mkdtempSync(join(tmpdir(), "aftercall-faults-"));
  const random = createRandom(seed);
  const port = await freePort();
  const startedAt = performance.now();
  const outside = fork(join(import.meta.dirname, "outside.ts"), [directory, String(port), String(seed)]);
  let victim: Victim = startVictim(directory, port);
  try {
    const { receiver } = (await nextMessage(outside)) as { receiver: number };
    if (!(await victim.ready())) throw new Error("The server does not start");
    await connect(publicApi(port), receiver);
    // Node keeps compiled code for the next start only when it may end in peace.
    await victim.stop();
    victim = startVictim(directory, port);
    outside.send("start");

    const recoveries: number[] = [];
    let done = 0;
    for (; done < cycles && performance.now() - startedAt < timeMs; done++) {
      // One in ten is killed while it is still starting.
      if (randomFraction(random) < 0.1) await sleep(randomFraction(random) * lifeMsMax);
      else if (await victim.ready()) await sleep(randomFraction(random) * lifeMsMax);
      else throw new Error("The server ended by itself");
      await victim.kill();
      victim = startVictim(directory, port);
      const spawnedAt = performance.now();
      void victim.ready().then((isReady) => isReady && recoveries.push(performance.now() - spawnedAt));
    }
    if (!(await victim.ready())) throw new Error("The server does not start any more");
    const finished = nextMessage(outside);
    outside.send("finish");
    await finished;
    const verdict = await judge(directory, publicApi(port), patienceMs);
    return { cycles: done, recoveryMs: spreadOf(recoveries), ...verdict };
  } finally {
    outside.send("end");
    await victim.kill();
    await endDatabase(directory);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function connect(api: PublicApi, receiver: number): Promise<void> {
  for (const provider of ["elevenlabs", "vapi"] as const) {
    const secrets = [{ slot: "secret", value: faultSecrets[provider] }];
    await api.post("/v1/sources", { slug: faultSources[provider], provider, secrets });
  }
  await api.post("/v1/endpoints", {
    url: `http://127.0.0.1:${receiver}/`,
    types: ["call.completed", "call.ended"],
    in_flight_max: 20,
    schedule_ms: [1_000, 1_000, 1_000, 2_000, 5_000, 5_000, 10_000, 10_000, 10_000, 10_000],
  });
}

function nextMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`The outside ended with ${code}`)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function spreadOf(values: readonly number[]): { p50: number; max: number } {
  const sorted = values.toSorted((a, b) => a - b);
  return { p50: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0), max: Math.round(sorted.at(-1) ?? 0) };
}

/** What must be empty for the promises to hold. */
export function brokenPromises(result: KillLoopResult): Record<string, readonly unknown[]> {
  const { refused, lost, doubled, invented, wrongCalls, undelivered, toldTwice } = result;
  const all = { refused, lost, doubled, invented, wrongCalls, undelivered, toldTwice };
  return Object.fromEntries(Object.entries(all).filter(([, found]) => found.length > 0));
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { cycles: { type: "string", default: "50" }, seed: { type: "string", default: String(Date.now() % 1e6) } },
  });
  const seed = Number(values.seed);
  const result = await runKillLoop({ cycles: Number(values.cycles), seed, patienceMs: 120_000 });
  const broken = brokenPromises(result);
  console.log(JSON.stringify({ seed, ...result }, null, 2));
  console.log(
    Object.keys(broken).length === 0 ? "every promise held" : `BROKEN: ${Object.keys(broken).join(", ")}; seed ${seed}`,
  );
  process.exit(Object.keys(broken).length === 0 ? 0 : 1);
}
