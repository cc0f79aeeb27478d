import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { cpuMicros } from "../machine/cpu.ts";
import { startRemote } from "../machine/remote.ts";
import { startAftercallSender } from "./aftercall-sender.ts";
import type { AlternativeSender } from "./alternative-sender.ts";
import type { BareSender } from "./bare-sender.ts";
import type { Bench } from "./bench.ts";
import { originsOf } from "./target.ts";

/** What sending so many messages took. Processor time in microseconds for each; null where it cannot be read. */
export type Rate = {
  readonly perSecond: number;
  readonly app: number | null;
  readonly database: number | null;
  readonly redis: number | null;
};

export const senders = ["bare", "alternative", "aftercall"] as const;
export type SenderName = (typeof senders)[number];

type Load = { readonly origins: number; readonly count: number };

/** Sends `count` messages that were there before, from the first to the last one stored as delivered. */
export function measureRate(bench: Bench, name: SenderName, load: Load): Promise<Rate> {
  return { bare, alternative, aftercall }[name](bench, load);
}

const warmUp = 3_000;

async function bare(bench: Bench, { origins, count }: Load): Promise<Rate> {
  const sender = startRemote<BareSender>(join(import.meta.dirname, "bare-sender.ts"));
  const urls = originsOf(bench.port, origins);
  const input = { urls, bodyBytes: bench.bodyBytes, inFlight: Math.max(64, Math.min(origins, 200)) };
  try {
    await sender.call("send", { ...input, count: warmUp });
    await bench.receiver.call("clear");
    const used = cpuSince({ app: sender.pid });
    const { ms } = await sender.call("send", { ...input, count });
    return { perSecond: (count * 1000) / ms, ...used(count) };
  } finally {
    await sender.stop();
  }
}

async function alternative(bench: Bench, { origins, count }: Load): Promise<Rate> {
  const { database, redis } = bench;
  if (!redis) throw new Error("The usual stack needs Redis");
  const sender = startRemote<AlternativeSender>(join(import.meta.dirname, "alternative-sender.ts"));
  const urls = originsOf(bench.port, origins);
  try {
    await sender.call("open", { databaseUrl: await database.create("bench_alternative"), redisPort: redis.port });
    await sender.call("fill", { count: warmUp, bodyBytes: bench.bodyBytes });
    await sender.call("drain", { urls, count: warmUp });
    await sender.call("fill", { count, bodyBytes: bench.bodyBytes });
    await bench.receiver.call("clear");
    const used = cpuSince({ app: sender.pid, database: database.pid, redis: redis.pid });
    const { ms } = await sender.call("drain", { urls, count });
    return { perSecond: (count * 1000) / ms, ...used(count) };
  } finally {
    await sender.stop();
    await redis.flush();
    await database.drop("bench_alternative");
  }
}

async function aftercall(bench: Bench, { origins, count }: Load): Promise<Rate> {
  const sender = await startAftercallSender(bench);
  try {
    const settings = { is_paused: true, in_flight_max: origins === 1 ? 64 : 10 };
    const endpoints = await sender.addEndpoints(originsOf(bench.port, origins), settings);
    const drain = async (of: number) => {
      await sender.addDue({ endpoints, count: of, bodyBytes: bench.bodyBytes });
      await bench.receiver.call("clear");
      const used = cpuSince({ app: sender.pid, database: bench.database.pid });
      const startedAt = performance.now();
      await sender.release();
      for (let arrived = 0; arrived < of; { arrived } = await bench.receiver.call("progress")) await sleep(5);
      while ((await sender.open()) > 0) await sleep(2);
      const ms = performance.now() - startedAt;
      return { perSecond: (of * 1000) / ms, ...used(of) };
    };
    await drain(warmUp);
    await sender.sql("update endpoints set paused_at = now()");
    await sender.sql("select pg_notify('endpoints', '')");
    await bench.vacuum("bench_delivery");
    return await drain(count);
  } finally {
    await sender.stop();
  }
}

type Pids = { readonly app: number; readonly database?: number | null; readonly redis?: number };

function cpuSince(pids: Pids): (count: number) => Omit<Rate, "perSecond"> {
  const read = (pid: number | null | undefined) => (pid ? cpuMicros(pid) : null);
  const before = [pids.app, pids.database, pids.redis].map(read);
  return (count) => {
    const [app = null, database = null, redis = null] = [pids.app, pids.database, pids.redis].map((pid, index) => {
      const [now, then] = [read(pid), before[index] ?? null];
      return now === null || then === null ? null : (now - then) / count;
    });
    return { app, database, redis };
  };
}
