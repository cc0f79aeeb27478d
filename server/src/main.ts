import { hostname } from "node:os";
import { join } from "node:path";

import { startApp } from "./app.ts";
import { migrate } from "./db/migrate.ts";
import { openDatabase } from "./db/open.ts";
import { installJobs } from "./jobs/install.ts";
import { systemClock as clock } from "./kernel/clock.ts";
import { loadConfig } from "./kernel/config.ts";
import type { LoadedConfig } from "./kernel/config.ts";
import { limits } from "./kernel/limits.ts";
import { createLog } from "./kernel/log.ts";
import { systemRandom } from "./kernel/random.ts";
import { whyNotStarted } from "./start-failure.ts";

await main();

/** One process of aftercall: reads its configuration, opens the database, starts the roles it was given, and stops cleanly. */
async function main(): Promise<void> {
  try {
    const loaded = loadConfig();
    const { config } = loaded;
    const log = createLog({ level: config.logLevel });
    const node = `${hostname()}:${process.pid}`;
    const database = await openDatabase({
      databaseUrl: config.databaseUrl,
      dataDir: config.dataDir,
      name: `aftercall ${config.role}`,
      log,
      clock,
      migrate: async (connection) => void (await migrate({ connection, afterwards: installJobs })),
    });
    const app = await startApp({ loaded, database, log, clock, random: systemRandom, node }).catch(
      async (error: unknown) => {
        await database.close();
        throw error;
      },
    );
    greet(loaded, app.url);
    const signal = await firstSignal();
    log.info({ signal }, "stopping");
    await Promise.race([app.stop(), clock.sleep(limits.drainMs)]);
    await database.close();
    log.info("stopped");
    process.exit(0);
  } catch (error) {
    process.stderr.write(`aftercall cannot start: ${whyNotStarted(error)}\n`);
    process.exit(1);
  }
}

/** What somebody at a terminal needs to know; the log has it as well. */
function greet({ config, generated }: LoadedConfig, url: string): void {
  if (config.mode !== "development") return;
  const lines = [
    "",
    `  aftercall   ${config.mode} mode, data in ${config.databaseUrl ? "the database you named" : config.dataDir}`,
    `  Page        ${url}/`,
    `  Docs        ${url}/docs`,
    `  Health      ${url}/readyz`,
    `  Receive at  ${url}/webhooks/<source>`,
    `  Key         AFTERCALL_API_KEY in ${join(config.dataDir, "dev.env")}`,
    ...(generated.length > 0 ? ["", "  Made up for development, shown once, kept in that file:"] : []),
    ...generated.map(({ name, value }) => `    ${name}=${value}`),
    "",
  ];
  process.stderr.write(`${lines.join("\n")}\n`);
}

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
}
