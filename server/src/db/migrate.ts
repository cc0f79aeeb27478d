import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Client, type ClientConfig, DatabaseError } from "pg";

import { withSettings } from "./connect.ts";
import { ensureRoles } from "./roles.ts";

export type Migration = { readonly name: string; readonly digest: string; readonly sql: string };

export type MigrateOptions = {
  /** A user that owns the database. */
  readonly connection: ClientConfig;
  readonly directory?: string;
  /** Runs after the files under the same lock: what other parts install for themselves (the job queues). */
  readonly afterwards?: (client: Client) => Promise<void>;
};

/**
 * Brings a database to the schema of this version: plain SQL files in the order of their names, each in one transaction. Any number
 * of processes may try at once. Gives the names of the files that were applied.
 * @throws Error when an applied file was changed, or when the database is newer than this version.
 */
export async function migrate({ connection, directory, afterwards }: MigrateOptions): Promise<string[]> {
  const migrations = readMigrations(directory);
  const client = new Client({ ...withSettings(connection, {}), application_name: "aftercall migrate" });
  await client.connect();
  try {
    await refuseOldServer(client);
    await client.query("select pg_advisory_lock($1)", [migrationLock]);
    await ensureRoles(client);
    await client.query(`
      create table if not exists schema_migrations (
        name text primary key,
        digest text not null,
        applied_at timestamptz not null default now()
      )`);
    await client.query("grant select on schema_migrations to aftercall_app");
    const pending = pendingOf(migrations, await appliedIn(client));
    for (const migration of pending) await apply(client, migration);
    await afterwards?.(client);
    return pending.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

/** Locks of this kind belong to one database; the number is ours alone. */
const migrationLock = 4_400_001;

/** The files of `server/migrations`, in order. `schema.sql` is the dump of their result and none of them. */
export function readMigrations(directory = fileURLToPath(new URL("../../migrations", import.meta.url))): Migration[] {
  return readdirSync(directory)
    .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
    .toSorted()
    .map((name) => {
      const sql = readFileSync(join(directory, name), "utf8");
      return { name, sql, digest: createHash("sha256").update(sql).digest("hex") };
    });
}

export type Applied = { readonly name: string; readonly digest: string };

/** What is left to apply. */
export function pendingOf(migrations: readonly Migration[], applied: readonly Applied[]): Migration[] {
  const digests = new Map(applied.map(({ name, digest }) => [name, digest]));
  for (const { name } of applied) {
    if (migrations.some((migration) => migration.name === name)) continue;
    throw new Error(
      `The database has migration ${name}, which this version does not know: run the version that applied it, or a newer one`,
    );
  }
  return migrations.filter(({ name, digest }) => {
    const before = digests.get(name);
    if (before === undefined || before === digest) return before === undefined;
    throw new Error(
      `Migration ${name} was changed after it had been applied: restore it, and write the change as a new migration`,
    );
  });
}

async function appliedIn(client: Client): Promise<Applied[]> {
  const { rows } = await client.query<Applied>("select name, digest from schema_migrations order by name");
  return rows;
}

/** Functions may be given to aftercall_lookup, who must be allowed to create in the schema for that moment. */
async function apply(client: Client, { name, digest, sql }: Migration): Promise<void> {
  try {
    await client.query("begin; grant create on schema public to aftercall_lookup");
    await client.query(sql);
    await client.query("revoke create on schema public from aftercall_lookup");
    await client.query("insert into schema_migrations (name, digest) values ($1, $2)", [name, digest]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw located(error, name, sql);
  }
}

function located(error: unknown, name: string, sql: string): unknown {
  if (!(error instanceof DatabaseError)) return error;
  const line = error.position ? `:${sql.slice(0, Number(error.position)).split("\n").length}` : "";
  return new Error(`Migration ${name}${line}: ${error.message}${error.hint ? ` (${error.hint})` : ""}`, {
    cause: error,
  });
}

async function refuseOldServer(client: Client): Promise<void> {
  const { rows } = await client.query<{ version: number; name: string; encoding: string }>(
    `select current_setting('server_version_num')::int as version, current_setting('server_version') as name,
            current_setting('server_encoding') as encoding`,
  );
  const server = rows[0];
  if (!server || server.version < 150_000)
    throw new Error(`PostgreSQL ${server?.name} is too old: 15 or later is needed`);
  if (server.encoding === "UTF8") return;
  throw new Error(`The database stores text as ${server.encoding}: create it with encoding 'UTF8'`);
}
