import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { type Latency, latencyOf } from "../load/percentiles.ts";
import { cpuMicros } from "../machine/cpu.ts";
import { startDatabase } from "../machine/database.ts";
import { startRemote } from "../machine/remote.ts";
import type { Clients, Heard, Opening } from "./clients.ts";
import { type Cost, costOf } from "./memory.ts";
import { apiKey, startLiveServer } from "./servers.ts";
import { createTeller, type Told } from "./tell.ts";
import { bytesMax, faultsOf, p99MsMax } from "./verdict.ts";

const help = `npm run bench -- live [options]

What a connection takes; then two servers on one database, thousands of listeners, a stream of webhooks, cut connections and a
killed server. Ends with 1 where a target is missed, or an update was missed or heard twice.

  --sockets <n>    WebSocket clients                        default 2000
  --streams <n>    clients of the event stream              default 2000
  --rate <n>       updates a second                         default 200
  --seconds <n>    of the measured phase                    default 20
  --calls <n>      calls that the updates are about         default 1000
  --log-level <l>  of the servers                           default warn
  --write          writes the figures to bench/results
`;

const { values } = parseArgs({
  args: process.argv.slice(2).filter((word) => word !== "live"),
  options: {
    help: { type: "boolean", default: false },
    sockets: { type: "string", default: "2000" },
    streams: { type: "string", default: "2000" },
    rate: { type: "string", default: "200" },
    seconds: { type: "string", default: "20" },
    calls: { type: "string", default: "1000" },
    "log-level": { type: "string", default: "warn" },
    write: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}
const [sockets, streams, rate, seconds] = [values.sockets, values.streams, values.rate, values.seconds].map(Number) as [
  number,
  number,
  number,
  number,
];
const root = join(import.meta.dirname, "../..");
const name = `bench_live_${process.pid}`;
const dataDir = mkdtempSync(join(tmpdir(), "aftercall-bench-"));
const database = await startDatabase(process.env.DATABASE_URL, join(root, ".aftercall", "bench-live"));
const databaseUrl = await database.create(name);
const clients = startRemote<Clients>(join(import.meta.dirname, "clients.ts"));
const first = await startLiveServer(databaseUrl, dataDir, values["log-level"]);
const second = await startLiveServer(databaseUrl, dataDir, values["log-level"]);
try {
  const costs = [await cost("socket", sockets), await cost("stream", streams)];
  await measure(costs);
} finally {
  await Promise.all([clients.stop(), first.stop(), second.stop()]);
  await database.drop(name);
  await database.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

type Played = ReturnType<typeof latencies> &
  Pick<Heard, "missed" | "repeated"> & {
    readonly messages: number;
    readonly refused: number;
  };

async function measure(costs: readonly Cost[]): Promise<void> {
  const secret = randomBytes(12).toString("hex");
  const source = { slug: "bench", provider: "vapi", secrets: [{ slot: "secret", value: secret }] };
  await first.ask("POST", "/v1/sources", source);
  const calls = Array.from({ length: Number(values.calls) }, () => randomUUID());
  const common = randomUUID();
  const teller = createTeller(secret, first.port, "/webhooks/bench");
  // The calls exist before anybody listens, as most do.
  await teller.tell([...calls, common], 400, 0);

  await open("socket", sockets, calls, common);
  await open("stream", streams, calls, common);
  let number = calls.length + 1;
  const play = async (told: readonly string[], perSecond: number, during = async () => {}): Promise<Played> => {
    await clients.call("expect", { from: number, to: number + told.length });
    const [answers] = await Promise.all([teller.tell(told, perSecond, number), during()]);
    await clients.call("quiet");
    // What was refused was told to nobody.
    const taken = told.map((call, index) => (answers.refused.includes(index) ? "" : call));
    const heard = await clients.call("results", { callOf: taken.map((call) => (call === common ? null : call)) });
    const { missed, repeated } = heard;
    const played = {
      ...latencies(answers, heard, number),
      messages: heard.at.length,
      refused: answers.refused.length,
      missed,
      repeated,
    };
    number += told.length;
    return played;
  };
  const some = (count: number) =>
    Array.from({ length: count }, () => calls[Math.floor(Math.random() * calls.length)] ?? "");

  await play(some(rate * 3), rate);
  const before = [first, second].map(({ pid }) => cpuMicros(pid) ?? Number.NaN);
  const paced = await play(some(rate * seconds), rate);
  const cores = [first, second].map(
    ({ pid }, index) => ((cpuMicros(pid) ?? Number.NaN) - (before[index] ?? 0)) / 1e6 / (seconds + 1),
  );
  show(`${rate} updates/s, each to the clients of its call`, paced);
  console.log(`  to reach           p99 of commit → client ${p99MsMax} ms, held against webhook → client`);
  console.log(`  processor          ${cores.map((share) => `${Math.round(share * 100)} %`).join(" and ")} of a core`);

  const broadcast = await play(
    Array.from({ length: 20 }, () => common),
    2,
  );
  show(`20 updates to all ${sockets + streams} clients at once, 2/s`, broadcast);

  const cut = await play(some(rate * 6), rate, async () => {
    for (let round = 0; round < 5; round++) {
      await sleep(900);
      await clients.call("cut", { every: 10 });
      await sleep(100);
      await clients.call("reopen", { port: round % 2 === 0 ? first.port : second.port });
    }
  });
  show("every tenth connection cut, five times", cut);

  const killed = await play(some(rate * 8), rate, async () => {
    await sleep(2_000);
    await second.kill();
    const moved = await clients.call("reopen", { port: first.port });
    console.log(`\none server killed: ${moved} clients went to the other`);
  });
  show("one of two servers killed", killed);
  teller.close();
  const faults = faultsOf(costs, paced, { paced, broadcast, cut, killed });
  for (const fault of faults) console.error(`\nNOT REACHED: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
  if (values.write) write({ sockets, streams, rate, costs, cores, paced, broadcast, cut, killed });
}

/** What a connection takes, at a server that has only these. */
async function cost(kind: Opening["kind"], count: number): Promise<Cost> {
  const server = await startLiveServer(databaseUrl, dataDir, values["log-level"]);
  try {
    const measured = await costOf(kind, count, server, clients);
    const { objects, resident } = measured;
    console.log(
      `${count} ${kind}s: ${kb(objects)} of objects, ${kb(resident)} resident each (to reach: ${kb(bytesMax)})`,
    );
    return measured;
  } finally {
    await server.stop();
  }
}

/** Opens clients, half of them at each server. */
async function open(kind: Opening["kind"], count: number, calls: readonly string[], common: string): Promise<void> {
  const followed = Array.from({ length: count }, (_, n) => calls[n % calls.length] ?? "");
  const half = Math.ceil(count / 2);
  await clients.call("open", { kind, port: first.port, key: apiKey, common, calls: followed.slice(0, half) });
  await clients.call("open", { kind, port: second.port, key: apiKey, common, calls: followed.slice(half) });
}

/**
 * Milliseconds to each client from the first byte of the webhook and from its answer. The commit is between the two, so the time
 * from commit to client is at most the one and at least the other.
 */
function latencies({ sentAt, answeredAt }: Told, { updates, at }: Heard, firstNumber: number) {
  const since = (moments: Float64Array) =>
    latencyOf(
      at.map((moment, index) => Math.max(0, moment - (moments[(updates[index] ?? 0) - firstNumber] ?? Number.NaN))),
    );
  return {
    sent_to_client: since(sentAt),
    answer_to_client: since(answeredAt),
    sent_to_answer: latencyOf(answeredAt.map((moment, index) => moment - (sentAt[index] ?? 0))),
  };
}

function show(title: string, played: Played): void {
  const { missed, repeated } = played;
  console.log(`\n${title}`);
  console.log(`  commit → client    of ${played.messages} messages`);
  console.log(`    at most          ${text(played.sent_to_client)} (webhook → client)`);
  console.log(`    at least         ${text(played.answer_to_client)} (answer → client)`);
  console.log(`  webhook → answer   ${text(played.sent_to_answer)}; ${played.refused} refused`);
  console.log(
    `  missed             ${missed.streams} by streams, ${missed.sockets} by sockets; twice: ${repeated.streams}, ${repeated.sockets}`,
  );
}

function write(figures: Record<string, unknown>): void {
  const machine = { date: new Date().toISOString(), cpu: cpus()[0]?.model.trim(), cores: cpus().length };
  const versions = { node: process.versions.node, postgresql: database.version };
  const file = join(root, "bench/results/live.json");
  mkdirSync(join(root, "bench/results"), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...machine, versions, ...figures }, null, 2)}\n`);
  console.log(`written: ${file}`);
}

function text({ p50, p99, max }: Latency): string {
  return `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(1)} ms`;
}

function kb(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
