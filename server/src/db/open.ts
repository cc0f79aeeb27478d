import type pg from "pg";

import type { Clock } from "#/kernel/clock.ts";
import type { Log } from "#/kernel/log.ts";
import { systemRandom } from "#/kernel/random.ts";

import { connectionFrom, openAppPool } from "./connect.ts";
import { startEmbedded } from "./embedded.ts";
import { newPresence } from "./presence.ts";
import { createDb } from "./transaction.ts";
import type { Db } from "./transaction.ts";
import { createWake } from "./wake.ts";
import type { Wake } from "./wake.ts";

/** The database as the application uses it: migrated, and seen through row-level security. */
export type OpenDatabase = {
  readonly connection: pg.ClientConfig;
  readonly appPool: pg.Pool;
  readonly db: Db;
  readonly wake: Wake;
  close(): Promise<void>;
};

export type OpenOptions = {
  /** Null: the embedded PostgreSQL in the data directory. */
  readonly databaseUrl: string | null;
  readonly dataDir: string;
  readonly name: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Brings the tables up to date, as their owner. */
  readonly migrate: (connection: pg.ClientConfig) => Promise<void>;
};

/** Opens the database of a server, starting an embedded one where none is named. */
export async function openDatabase({
  databaseUrl,
  dataDir,
  name,
  log,
  clock,
  migrate,
}: OpenOptions): Promise<OpenDatabase> {
  const embedded = databaseUrl === null ? await startEmbedded({ dataDir, log }) : null;
  const connection = embedded?.connection ?? connectionFrom(databaseUrl ?? "");
  try {
    await migrate(connection);
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
  const presence = newPresence(systemRandom);
  const appPool = openAppPool({ connection, name, log, presence });
  const wake = createWake({ connection, log, clock, presence });
  // Before anything is claimed: a claim whose process seems to be gone is freed.
  await wake.ready;
  return {
    connection,
    appPool,
    db: createDb(appPool),
    wake,
    async close() {
      await wake.stop();
      await appPool.end();
      await embedded?.stop();
    },
  };
}
