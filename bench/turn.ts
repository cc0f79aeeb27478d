import { setTimeout as sleep } from "node:timers/promises";

import type { Contender, Running, Surroundings } from "./contenders/contender.ts";
import type { Generated } from "./load/generate.ts";
import { type Latency, latencyOf } from "./load/percentiles.ts";
import type { Loader } from "./loader.ts";
import { cpuMicros } from "./machine/cpu.ts";
import type { Remote } from "./machine/remote.ts";
import type { Receiver } from "./receiver.ts";

/** What one turn of one contender gave. */
export type Turn = {
  /** Closed loop: webhooks accepted per second; end to end: calls delivered per second, backlog included. */
  readonly perSecond: number;
  /** From sending to the answer, at saturation. */
  readonly answerAtSaturation: Latency;
  /** Processor microseconds per webhook at saturation, by process; null where they cannot be read. */
  readonly cpuMicros: { readonly app: number; readonly database: number | null; readonly redis: number } | null;
  /** Open loop at half of `perSecond`. */
  readonly offeredPerSecond: number;
  readonly answerAtHalf: Latency;
  /** From the intended sending to the arrival at the receiver. */
  readonly deliveredAtHalf: Latency | null;
  readonly books: Books;
};

/** Over both phases. Without deliveries only `accepted` and `refused` are kept. */
export type Books = {
  readonly accepted: number;
  readonly refused: number;
  /** Accepted, and not at the receiver when nothing moved any more. */
  readonly missing: number;
  /** Deliveries beyond the first of a call. */
  readonly duplicates: number;
};

export type Tools = { readonly loader: Remote<Loader>; readonly receiver: Remote<Receiver> };

export type TurnOptions = {
  readonly bodyBytes: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
};

/** Starts a contender on empty stores, warms it up, drives it to saturation, then at half of that, and stops it. */
export async function takeTurn(
  contender: Contender,
  surroundings: Surroundings,
  tools: Tools,
  options: TurnOptions,
): Promise<Turn> {
  const running = await contender.start(surroundings);
  try {
    return await measure(contender, running, surroundings, tools, options);
  } finally {
    await running.stop();
  }
}

async function measure(
  contender: Contender,
  running: Running,
  surroundings: Surroundings,
  { loader, receiver }: Tools,
  { bodyBytes, seconds, warmUpSeconds, connections }: TurnOptions,
): Promise<Turn> {
  const { port, path, secret } = running;
  const prepare = (count: number) => loader.call("prepare", { count: Math.ceil(count), bodyBytes, port, path, secret });

  const warmPerSecond = await warmUp();
  let { first } = await prepare(warmPerSecond * seconds * 2 + 1000);
  const before = cpuOf(running, surroundings);
  const saturated = await loader.call("closed", { port, connections, seconds });
  const full = await settled(first, saturated);
  const after = cpuOf(running, surroundings);
  const perSecond = saturated.accepted / (full?.seconds ?? saturated.seconds);

  const offered = perSecond / 2;
  ({ first } = await prepare(offered * seconds + 1));
  const paced = await loader.call("open", { port, connections: 512, perSecond: offered, seconds });
  const half = await settled(first, paced);
  return {
    perSecond,
    answerAtSaturation: saturated.latency,
    cpuMicros: before && after ? perEvent(before, after, saturated.accepted) : null,
    offeredPerSecond: offered,
    answerAtHalf: paced.latency,
    deliveredAtHalf: half?.latency ?? null,
    books: {
      accepted: saturated.accepted + paced.accepted,
      refused: saturated.sent - saturated.accepted + paced.sent - paced.accepted,
      missing: (full?.missing ?? 0) + (half?.missing ?? 0),
      duplicates: (full?.duplicates ?? 0) + (half?.duplicates ?? 0),
    },
  };

  /** Until the code that runs is compiled code, which takes thousands of requests, or for four times the given seconds. */
  async function warmUp(): Promise<number> {
    let accepted = 0;
    for (let turns = 0; ;) {
      const { first: from } = await prepare(40_000 * warmUpSeconds);
      const warm = await loader.call("closed", { port, connections, seconds: warmUpSeconds });
      refuseIfRefused(contender, warm);
      await settled(from, warm);
      accepted += warm.accepted;
      if (accepted >= warmUpRequests || ++turns === 4) return warm.accepted / warm.seconds;
    }
  }

  /** Waits until all accepted calls have arrived, or none has for ten seconds, and does the books. */
  async function settled(from: number, sent: Generated): Promise<Delivered | null> {
    if (!contender.delivers) return null;
    const range = { first: from, count: sent.sent };
    let arrived = 0;
    for (let idleTurns = 0; arrived < sent.accepted && idleTurns < 200; idleTurns++) {
      await sleep(50);
      const now = (await receiver.call("progress", range)).arrived;
      if (now > arrived) idleTurns = 0;
      arrived = now;
    }
    return deliveredOf(sent, await receiver.call("take", range));
  }
}

const warmUpRequests = 8_000;

type Delivered = { seconds: number; latency: Latency; missing: number; duplicates: number };

function deliveredOf(sent: Generated, { arrivedMs, repeats, repeatedIds }: ReturnType<Receiver["take"]>): Delivered {
  const took: number[] = [];
  let missing = 0;
  let lastMs = sent.startedAtMs;
  for (const [index, intended] of sent.intendedMs.entries()) {
    if (Number.isNaN(intended)) continue;
    const arrived = arrivedMs[index] ?? Number.NaN;
    if (Number.isNaN(arrived)) {
      missing++;
      continue;
    }
    took.push(arrived - intended);
    lastMs = Math.max(lastMs, arrived);
  }
  return {
    seconds: (lastMs - sent.startedAtMs) / 1000,
    latency: latencyOf(Float64Array.from(took)),
    missing,
    duplicates: Math.max(repeats, repeatedIds),
  };
}

type Cpu = { app: number; database: number | null; redis: number };

function cpuOf(running: Running, { database, redis }: Surroundings): Cpu | null {
  const app = cpuMicros(running.pid);
  if (app === null) return null;
  return {
    app,
    database: database.pid === null ? null : cpuMicros(database.pid),
    redis: redis ? (cpuMicros(redis.pid) ?? 0) : 0,
  };
}

function perEvent(before: Cpu, after: Cpu, events: number): Cpu {
  const database =
    before.database === null || after.database === null ? null : (after.database - before.database) / events;
  return { app: (after.app - before.app) / events, database, redis: (after.redis - before.redis) / events };
}

function refuseIfRefused(contender: Contender, warmUp: Generated): void {
  if (warmUp.accepted === warmUp.sent) return;
  const seen = JSON.stringify(warmUp.statuses);
  if (warmUp.accepted === 0) throw new Error(`${contender.name} accepts nothing; statuses ${seen}`);
  console.warn(`  ${contender.name} refused some requests while warming up; statuses ${seen}`);
}
