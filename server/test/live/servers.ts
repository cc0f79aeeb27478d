import { tmpdir } from "node:os";

import { startApp } from "#/app.ts";
import { openAppPool } from "#/db/connect.ts";
import { createDb } from "#/db/transaction.ts";
import { createWake } from "#/db/wake.ts";
import { systemClock as clock } from "#/kernel/clock.ts";
import { loadConfig } from "#/kernel/config.ts";
import { silentLog } from "#/kernel/log.ts";
import { systemRandom as random } from "#/kernel/random.ts";

import { environment, running, type Running } from "../harness/app.ts";
import { discardDatabase, ownDatabase } from "../harness/database.ts";

export type LiveServer = Running & { stop(): Promise<void> };

export type LiveServers = { readonly servers: readonly [LiveServer, LiveServer]; stop(): Promise<void> };

/** Two whole servers on one database, as two processes would be: nothing is shared between them but its tables. */
export async function startTwoServers(env: Record<string, string> = {}): Promise<LiveServers> {
  const own = await ownDatabase();
  const start = async (): Promise<LiveServer> => {
    const log = silentLog();
    const { connection } = own;
    const appPool = openAppPool({ connection, name: "test", log, mayExit: true, max: 4 });
    const wake = createWake({ connection, log, clock });
    const database = { connection, appPool, db: createDb(appPool), wake, close: async () => {} };
    const loaded = loadConfig({ env: { ...environment(), AFTERCALL_ANALYSIS: "off", ...env }, cwd: tmpdir() });
    const app = await startApp({ loaded, database, log, clock, random });
    let stopped: Promise<void> | null = null;
    const stop = async () => {
      await app.stop();
      await wake.stop();
      await appPool.end();
    };
    return { ...running(app.url, own.db), stop: () => (stopped ??= stop()) };
  };
  const servers = [await start(), await start()] as const;
  return {
    servers,
    async stop() {
      for (const server of servers) await server.stop();
      await discardDatabase(own);
    },
  };
}
