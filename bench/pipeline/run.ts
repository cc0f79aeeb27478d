import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { fromPublicId } from "@aftercall/contract/id.ts";
import pg from "pg";

import { connectionFrom } from "../../server/src/db/connect.ts";
import type { Loader } from "../loader.ts";
import { startAftercall } from "../machine/aftercall.ts";
import { cpuMicros } from "../machine/cpu.ts";
import { startDatabase } from "../machine/database.ts";
import { startRemote } from "../machine/remote.ts";
import { webhookSecret } from "../servers/secret.ts";

// Calls from their webhook to their results, without any key: received, stored, read by the built-in analyzer, settled. The rate
// counts from the first webhook to the last `call.completed`, and the processor time is that of the server and of PostgreSQL.

const root = join(import.meta.dirname, "../..");
const sizes = [
  { bodyBytes: 3_000, calls: 1_000 },
  { bodyBytes: 60_000, calls: 200 },
];

const database = await startDatabase(process.env.DATABASE_URL, join(root, ".aftercall", "bench"));
const loader = startRemote<Loader>(join(import.meta.dirname, "../loader.ts"));
try {
  console.log(
    `${cpus()[0]?.model ?? "?"} × ${cpus().length}, Node ${process.version}, PostgreSQL ${database.version}\n`,
  );
  console.log(
    "body KB   calls  calls/s  CPU ms per call: server  PostgreSQL  of that without analysis: server  PostgreSQL",
  );
  for (const { bodyBytes, calls } of sizes) {
    // oxlint-disable-next-line no-await-in-loop -- One after the other: they would share the processor.
    const [whole, bare] = [await measure(bodyBytes, calls, "on"), await measure(bodyBytes, calls, "off")];
    const cells = [
      (bodyBytes / 1000).toFixed(0).padStart(7),
      String(calls).padStart(7),
      whole.perSecond.toFixed(0).padStart(8),
      whole.serverMs.toFixed(2).padStart(24),
      whole.databaseMs.toFixed(2).padStart(11),
      bare.serverMs.toFixed(2).padStart(33),
      bare.databaseMs.toFixed(2).padStart(11),
    ];
    console.log(cells.join(" "));
  }
} finally {
  await loader.stop();
  await database.stop();
}

async function measure(bodyBytes: number, calls: number, analysis: "on" | "off") {
  const name = "bench_pipeline";
  const server = await startAftercall({
    databaseUrl: await database.create(name),
    logLevel: "warn",
    profileDir: process.env["BENCH_PROFILE"] ?? null,
    analysis,
  });
  try {
    const secrets = [{ slot: "secret", value: webhookSecret }];
    await server.ask("POST", "/v1/sources", { slug: "bench", provider: "elevenlabs", secrets });
    const who = await server.ask<{ tenant: { id: string } }>("GET", "/v1/whoami");
    const tenant = fromPublicId("tenant", who.tenant.id) ?? "";
    const load = { bodyBytes, port: server.port, path: "/webhooks/bench", secret: webhookSecret };
    // Code is compiled and plans are made before the clock starts.
    const warm = 200;
    await loader.call("prepare", { ...load, count: warm });
    await loader.call("closed", { port: server.port, connections: 8, seconds: 30 });
    await untilSettled(name, tenant, warm);
    await loader.call("prepare", { ...load, count: calls });
    const [started, before] = [performance.now(), cpuOf(server.pid)];
    await loader.call("closed", { port: server.port, connections: 32, seconds: 600 });
    await untilSettled(name, tenant, warm + calls);
    const seconds = (performance.now() - started) / 1000;
    const after = cpuOf(server.pid);
    return {
      perSecond: calls / seconds,
      serverMs: (after.server - before.server) / 1000 / calls,
      databaseMs: (after.database - before.database) / 1000 / calls,
    };
  } finally {
    await server.stop();
    await database.drop(name);
  }
}

function cpuOf(pid: number) {
  return { server: cpuMicros(pid) ?? 0, database: (database.pid !== null && cpuMicros(database.pid)) || 0 };
}

/** Nobody subscribed, so the rows of messages alone say that a call is done. */
async function untilSettled(name: string, tenant: string, count: number): Promise<void> {
  const client = new pg.Client(connectionFrom(database.urlOf(name)));
  await client.connect();
  await client.query("select set_config('app.tenants', $1, false)", [`{${tenant}}`]);
  try {
    for (let done = 0; done < count; await sleep(50)) {
      // oxlint-disable-next-line no-await-in-loop -- It is watched.
      const { rows } = await client.query<{ done: string }>(
        "select count(*) as done from messages where type = 'call.completed'",
      );
      done = Number(rows[0]?.done ?? 0);
    }
  } finally {
    await client.end();
  }
}
