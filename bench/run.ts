import { join } from "node:path";

import type { Contender, Surroundings } from "./contenders/contender.ts";
import { contenders } from "./contenders/index.ts";
import type { Loader } from "./loader.ts";
import { startDatabase } from "./machine/database.ts";
import { startRedis } from "./machine/redis.ts";
import { startRemote } from "./machine/remote.ts";
import { readOptions } from "./options.ts";
import type { Receiver } from "./receiver.ts";
import { describeMachine, type Measured, printSummary, printTurn, writeResults } from "./report.ts";
import { takeTurn } from "./turn.ts";

if (process.argv[2] === "live") await import("./live/run.ts").then(() => process.exit());
if (process.argv[2] === "delivery") await import("./delivery/run.ts").then(() => process.exit(0));
if (process.argv[2] === "pipeline") await import("./pipeline/run.ts").then(() => process.exit(0));
const options = readOptions(process.argv.slice(2));
const root = join(import.meta.dirname, "..");
const chosen = contenders.filter(({ name }) => options.only.includes(name));

const database = await startDatabase(process.env.DATABASE_URL, join(root, ".aftercall", "bench"));
const redis = chosen.some(({ needsRedis }) => needsRedis) ? await startRedis() : null;
const loader = startRemote<Loader>(join(import.meta.dirname, "loader.ts"));
const receiver = startRemote<Receiver>(join(import.meta.dirname, "receiver.ts"));
try {
  const { port } = await receiver.call("listen");
  const surroundings = { ...options, database, redis, receiverUrl: `http://127.0.0.1:${port}/` };
  const machine = describeMachine({ root, database, redis, options });
  console.log(
    `${machine.cpu} × ${machine.cores}, Node ${machine.versions.node}, PostgreSQL ${database.version}, load average ${machine.loadBefore}\n`,
  );
  const measured = await measureAll(able(chosen), surroundings);
  printSummary(measured);
  if (options.writes) for (const file of writeResults(root, machine, measured)) console.log(`written: ${file}`);
} finally {
  await Promise.all([loader.stop(), receiver.stop(), redis?.stop()]);
  await database.stop();
}

function able(wanted: readonly Contender[]): Contender[] {
  const missing = redis ? [] : wanted.filter(({ needsRedis }) => needsRedis);
  if (missing.length > 0) {
    console.log("┌─ NOTICE ─────────────────────────────────────────────────────────────────────────────");
    console.log("│ redis-server is not installed: the usual stack is SKIPPED, and there are no ratios to it.");
    console.log("│ Debian, Ubuntu: apt-get install redis-server · macOS: brew install redis");
    console.log("└──────────────────────────────────────────────────────────────────────────────────────\n");
  }
  return wanted.filter((contender) => !missing.includes(contender));
}

/** In turn (A B C, A B C, …), so that what changes on the machine meanwhile meets all of them. */
async function measureAll(wanted: readonly Contender[], surroundings: Surroundings): Promise<Measured[]> {
  const measured = options.bodyBytes.flatMap((bodyBytes) =>
    wanted.map((contender): Measured => ({ contender, bodyBytes, turns: [] })),
  );
  for (let round = 1; round <= options.rounds; round++) {
    for (const one of measured) {
      const turn = await takeTurn(
        one.contender,
        surroundings,
        { loader, receiver },
        { ...options, bodyBytes: one.bodyBytes },
      );
      one.turns.push(turn);
      printTurn(round, one, turn);
    }
  }
  return measured;
}
