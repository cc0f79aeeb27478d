import { setTimeout as sleep } from "node:timers/promises";

import type { Supply } from "./bodies.ts";
import { nowMs } from "./clock.ts";
import { type Connection, openConnection } from "./connection.ts";
import { type Latency, latencyOf } from "./percentiles.ts";

export type Generated = {
  readonly sent: number;
  /** Answered 2xx. */
  readonly accepted: number;
  readonly statuses: Readonly<Record<number, number>>;
  /** From the first request to the last answer. */
  readonly seconds: number;
  /** From the moment a request was meant to be sent to its answer. */
  readonly latency: Latency;
  readonly startedAtMs: number;
  /** By request: when it was meant to be sent; NaN where it was not accepted. */
  readonly intendedMs: Float64Array;
};

/** As fast as the answers come: each connection sends its next request when the last one is answered. */
export async function runClosed(
  supply: Supply,
  { port, connections, seconds }: { port: number; connections: number; seconds: number },
): Promise<Generated> {
  const record = createRecord(supply);
  const deadline = record.startedAtMs + seconds * 1000;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const connection = openConnection(port);
      await new Promise<void>((resolve) => {
        const next = () => {
          const index = record.sent;
          if (index >= supply.count || nowMs() >= deadline) return resolve();
          record.sent++;
          const intended = nowMs();
          connection.send(supply.parts(index), (status) => {
            record.answered(index, intended, status);
            next();
          });
        };
        next();
      });
      connection.close();
    }),
  );
  return record.result();
}

/**
 * At a given rate, whatever the answers do. Latency counts from the planned moment, so requests that had to wait for a stalled
 * server are not forgotten ("coordinated omission"). The timer ticks every millisecond, which adds up to one to a latency.
 */
export async function runOpen(
  supply: Supply,
  { port, connections, perSecond, seconds }: { port: number; connections: number; perSecond: number; seconds: number },
): Promise<Generated> {
  const record = createRecord(supply);
  const total = Math.min(supply.count, Math.floor(perSecond * seconds));
  const free: Connection[] = [];
  let open = 0;
  let answered = 0;
  const waiting: { index: number; intended: number }[] = [];

  const take = (): Connection | undefined => {
    const connection = free.pop();
    if (connection || open >= connections) return connection;
    open++;
    return openConnection(port);
  };
  const flush = () => {
    while (waiting.length > 0) {
      const connection = take();
      if (!connection) return;
      const one = waiting.shift();
      if (!one) return;
      connection.send(supply.parts(one.index), (status) => {
        record.answered(one.index, one.intended, status);
        answered++;
        free.push(connection);
        flush();
      });
    }
  };
  while (record.sent < total) {
    const due = Math.min(total, Math.floor(((nowMs() - record.startedAtMs) / 1000) * perSecond) + 1);
    while (record.sent < due) {
      waiting.push({ index: record.sent, intended: record.startedAtMs + (record.sent * 1000) / perSecond });
      record.sent++;
    }
    flush();
    await sleep(1);
  }
  const patience = nowMs() + 30_000;
  while (answered < total && nowMs() < patience) await sleep(5);
  for (const connection of free) connection.close();
  return record.result();
}

function createRecord(supply: Supply) {
  const startedAtMs = nowMs();
  const latencies = new Float64Array(supply.count);
  const intendedMs = new Float64Array(supply.count).fill(Number.NaN);
  const statuses: Record<number, number> = {};
  let count = 0;
  let accepted = 0;
  let lastMs = startedAtMs;
  return {
    sent: 0,
    startedAtMs,
    answered(index: number, intended: number, status: number) {
      lastMs = nowMs();
      statuses[status] = (statuses[status] ?? 0) + 1;
      latencies[count++] = lastMs - intended;
      if (status < 200 || status > 299) return;
      accepted++;
      intendedMs[index] = intended;
    },
    result(): Generated {
      const seconds = (lastMs - startedAtMs) / 1000;
      const latency = latencyOf(latencies.subarray(0, count));
      return {
        sent: this.sent,
        accepted,
        statuses,
        seconds,
        latency,
        startedAtMs,
        intendedMs: intendedMs.subarray(0, this.sent),
      };
    },
  };
}
