import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { Delivery } from "@aftercall/contract/delivery.ts";

import { known, running, type Running } from "../harness/app.ts";
import { startDatabaseProxy } from "../harness/database-proxy.ts";
import { discardDatabase, ownDatabase } from "../harness/database.ts";
import { startServerProcess, type ServerProcess } from "../harness/server-process.ts";

export type WorkerKills = {
  readonly kills: number;
  /** Messages that were accepted; each goes to every endpoint. */
  readonly accepted: number;
  readonly deliveries: number;
  /**
   * Requests of both workers that were under way when one of them was killed: not answered by the receiver, or so lately that the
   * result may not have been stored. All kills together, and the least and most of one.
   */
  readonly inFlight: { readonly sum: number; readonly min: number; readonly max: number };
  /** Messages for endpoints, neither arrived nor listed as undelivered. */
  readonly missing: readonly string[];
  /** Listed as undelivered, by reason. */
  readonly listed: Readonly<Record<string, number>>;
  readonly duplicates: number;
  /** From the last kill until nothing was on its way any more. */
  readonly finishedAfterMs: number;
};

const endpointsCount = 10;
const wanted = 500;

/**
 * Two workers deliver to a slow receiver, 500 requests at a time between them, and are killed in turn. The receiver's own notes
 * are held against what was accepted.
 */
export async function runWorkerKills({ kills, seed }: { kills: number; seed: number }): Promise<WorkerKills> {
  const directory = mkdtempSync(join(tmpdir(), "aftercall-kills-"));
  const file = join(directory, "received.log");
  const own = await ownDatabase();
  const proxy = await startDatabaseProxy(own.connection);
  const receiver = fork(join(import.meta.dirname, "slow-receiver.ts"), [file, String(seed)]);
  const ask = async () => {
    receiver.send("count");
    const [counts] = (await once(receiver, "message")) as [{ open: number; underWay: number }];
    return counts;
  };
  const processes: ServerProcess[] = [];
  const start = async (role: "api" | "worker") => {
    const process = await startServerProcess(proxy.url, { AFTERCALL_ROLE: role, AFTERCALL_LOG_LEVEL: "fatal" });
    processes.push(process);
    return process;
  };
  try {
    const [{ port }] = (await once(receiver, "message")) as [{ port: number }];
    const api = running((await start("api")).url, own.db);
    const numbers = await prepare(api, port);
    const accepted: string[] = [];
    await publish(api, accepted, 150);
    const workers = await Promise.all([start("worker"), start("worker")]);
    const stopping = new AbortController();
    const publishing = publishUntil(api, accepted, stopping.signal);

    const underWay: number[] = [];
    for (let kill = 0; kill < kills; kill++) {
      const isFull = async () => (await ask()).open >= wanted * 0.9;
      for (let tries = 0; tries < 100 && !(await isFull()); tries++) await sleep(50);
      underWay.push((await ask()).underWay);
      await workers[kill % 2]?.kill();
      workers[kill % 2] = await start("worker");
    }
    const killedAt = performance.now();
    stopping.abort();
    await publishing;
    await untilNothingWaits(api);
    const finishedAfterMs = performance.now() - killedAt;
    return { kills, finishedAfterMs, ...judge(file, accepted, underWay, await undelivered(api, numbers)) };
  } finally {
    receiver.disconnect();
    await Promise.all(processes.map((process) => process.kill().catch(() => {})));
    await proxy.close();
    await discardDatabase(own);
    rmSync(directory, { recursive: true, force: true });
  }
}

const type = "kills.happened";

/** Makes the endpoints; gives the number that each has in the receiver's notes, by id. */
async function prepare(api: Running, port: number): Promise<Map<string, number>> {
  const numbers = new Map<string, number>();
  await api.ask(known.apiKey, "POST", "/v1/event-types", { name: type, description: "For the kills" });
  for (let n = 0; n < endpointsCount; n++) {
    const endpoint = { url: `http://127.0.0.1:${port}/${n}`, types: [type], in_flight_max: wanted / endpointsCount };
    const { status, json } = await api.ask(known.apiKey, "POST", "/v1/endpoints", endpoint);
    if (status !== 201) throw new Error(`The endpoint was answered ${status}`);
    numbers.set(json.id, n);
  }
  return numbers;
}

async function publish(api: Running, accepted: string[], count: number): Promise<void> {
  const one = async (n: number) => {
    const { status, json } = await api.ask(known.apiKey, "POST", "/v1/messages", { type, data: { n } });
    if (status === 202) accepted.push(json.id);
  };
  for (let n = 0; n < count; n += 25) await Promise.all(Array.from({ length: 25 }, (_, at) => one(n + at)));
}

/** Some more than go out, so that there is always somebody to wait for a place. */
async function publishUntil(api: Running, accepted: string[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const waiting = await api.ask(known.apiKey, "GET", "/v1/deliveries?state=due&limit=100");
    if (waiting.json.data.length >= 100) await sleep(100);
    else await publish(api, accepted, 50);
  }
}

async function untilNothingWaits(api: Running): Promise<void> {
  const isEmpty = async (state: string) =>
    (await api.ask(known.apiKey, "GET", `/v1/deliveries?state=${state}&limit=1`)).json.data.length === 0;
  while (!(await isEmpty("due")) || !(await isEmpty("claimed"))) await sleep(200);
}

type Listed = { readonly line: string; readonly reason: string };

/** What the server lists as undelivered, written as in the receiver's notes. */
async function undelivered(api: Running, numbers: ReadonlyMap<string, number>): Promise<Listed[]> {
  const all: Listed[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const page = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { json } = await api.ask(known.apiKey, "GET", `/v1/deliveries?state=undelivered&limit=100${page}`);
    const deliveries = json.data as Delivery[];
    for (const { endpoint_id: endpoint, message_id: message, reason } of deliveries) {
      all.push({ line: `/${numbers.get(endpoint ?? "")} ${message}`, reason: String(reason) });
    }
    cursor = json.next_cursor;
  }
  return all;
}

function judge(
  file: string,
  accepted: readonly string[],
  underWay: readonly number[],
  undelivered: readonly Listed[],
): Omit<WorkerKills, "kills" | "finishedAfterMs"> {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const arrived = new Set(lines);
  const listed = new Set(undelivered.map(({ line }) => line));
  const expected = accepted.flatMap((id) => Array.from({ length: endpointsCount }, (_, n) => `/${n} ${id}`));
  const reasons = Map.groupBy(undelivered, ({ reason }) => reason);
  return {
    accepted: accepted.length,
    deliveries: expected.length,
    inFlight: {
      sum: underWay.reduce((sum, count) => sum + count, 0),
      min: Math.min(...underWay),
      max: Math.max(...underWay),
    },
    missing: expected.filter((line) => !arrived.has(line) && !listed.has(line)),
    listed: Object.fromEntries([...reasons].map(([reason, of]) => [reason, of.length])),
    duplicates: lines.length - arrived.size,
  };
}
