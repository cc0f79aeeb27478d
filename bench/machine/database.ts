import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import pg from "pg";

import { connectionFrom } from "../../server/src/db/connect.ts";
import { startEmbedded } from "../../server/src/db/embedded.ts";
import { createLog } from "../../server/src/kernel/log.ts";

/** The one PostgreSQL that all contenders use, each with a new database for each turn. */
export type Database = {
  readonly version: string;
  /** Of the postmaster; null when it runs elsewhere and its processor time cannot be read. */
  readonly pid: number | null;
  readonly settings: Readonly<Record<string, string>>;
  create(name: string): Promise<string>;
  /** Where one that was created is. */
  urlOf(name: string): string;
  drop(name: string): Promise<void>;
  stop(): Promise<void>;
};

/** The given server, or the embedded one, which is durable as in production (fsync on) and removed afterwards. */
export async function startDatabase(url: string | undefined, dataDir: string): Promise<Database> {
  const embedded = url ? null : await startEmbedded({ dataDir, log: createLog({ level: "error" }) });
  const connection = url ? connectionFrom(url) : (embedded?.connection ?? {});
  const run = (sql: string) => query(connection, sql);
  const [server] = await run("select current_setting('server_version') as version");
  const shown = await run(
    `select name, setting from pg_settings
      where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'shared_buffers', 'max_wal_size', 'wal_compression')`,
  );
  if (embedded) await age(connection);
  return {
    version: server?.["version"] ?? "unknown",
    pid: embedded ? postmasterOf(dataDir) : null,
    settings: Object.fromEntries(shown.map((row) => [row["name"] ?? "", row["setting"] ?? ""])),
    async create(name) {
      await drop(name);
      await run(`create database ${name}`);
      return urlFor(url, connection, name);
    },
    urlOf: (name) => urlFor(url, connection, name),
    drop,
    async stop() {
      await embedded?.stop();
      if (embedded) rmSync(dataDir, { recursive: true, force: true });
    },
  };

  async function drop(name: string): Promise<void> {
    // Not by force: that would have to end autovacuum as well, which only a superuser may.
    for (let tries = 1; ; tries++) {
      const isDropped = await run(`drop database if exists ${name}`).then(
        () => true,
        () => false,
      );
      if (isDropped) return;
      if (tries === 50) throw new Error(`The database ${name} is still in use`);
      await sleep(100);
    }
  }
}

/**
 * Writes log until checkpoints have left files of it to write over. A cluster that was just made fills each new file with
 * zeros, and all commits wait for that: it would be the first minute of a server's life that is measured.
 */
async function age(connection: pg.ClientConfig): Promise<void> {
  await query(
    connection,
    "select pg_logical_emit_message(false, 'age', repeat('x', 1000000)) from generate_series(1, 1500)",
  );
}

async function query(connection: pg.ClientConfig, sql: string): Promise<Record<string, string>[]> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return (await client.query<Record<string, string>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function postmasterOf(dataDir: string): number {
  return Number(readFileSync(join(dataDir, "postgres", "postmaster.pid"), "utf8").split("\n", 1)[0]);
}

function urlFor(given: string | undefined, { host, port, user, password }: pg.ClientConfig, name: string): string {
  const url = new URL(given ?? "postgresql://localhost");
  url.pathname = `/${name}`;
  if (given) return url.href;
  url.username = user ?? "";
  url.password = typeof password === "string" ? password : "";
  url.searchParams.set("host", host ?? "");
  url.searchParams.set("port", String(port));
  return url.href;
}
