import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Client, type ClientConfig } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

import { silentLog } from "#/kernel/log.ts";

import { inDatabase } from "../../test/harness/clone.ts";
import { type Cluster, startCluster } from "../../test/harness/cluster.ts";
import { connectionFrom, openAppPool } from "./connect.ts";
import { checkDurability } from "./durability.ts";
import { migrate, readMigrations } from "./migrate.ts";

// A cluster of its own, in which the roles do not exist yet.
let cluster: Cluster;
let folder = "";
beforeAll(async () => {
  cluster = await startCluster(undefined);
  folder = mkdtempSync(join(tmpdir(), "aftercall-migrations-"));
});
afterAll(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true });
});

const ours = readMigrations().map(({ name }) => name);

test("many databases and many processes may migrate at once on a server that never saw us", async () => {
  const databases = await Promise.all(["one", "two", "three"].map((name) => emptyDatabase(name)));
  const applied = await Promise.all([...databases, ...databases].map((connection) => migrate({ connection })));
  for (const i of databases.keys()) {
    expect([...(applied[i] ?? []), ...(applied[i + databases.length] ?? [])]).toEqual(ours);
  }
});

test("a database that is current is left as it is", async () => {
  const connection = await emptyDatabase("current");
  await migrate({ connection });
  expect(await migrate({ connection })).toEqual([]);
});

test("a superuser may migrate as well, and the application is bound all the same", async () => {
  const connection = { ...(await emptyDatabase("super")), user: "postgres" };
  expect(await migrate({ connection })).toEqual(ours);
  const pool = openAppPool({ connection, name: "test", log: silentLog() });
  expect((await pool.query<{ name: string }>("select current_user as name")).rows).toEqual([{ name: "aftercall_app" }]);
  expect(
    (await checkDurability(pool)).reasons.filter((reason) => !/fsync|full_page_writes|synchronous_commit/.test(reason)),
  ).toEqual([]);
  await pool.end();
});

test("a user who may not create roles is told what to run, and that is all there is to run", async () => {
  const untouched = await startCluster(undefined);
  const admin = { ...untouched.connection, user: "postgres" };
  await query(admin, "create role plain login");
  await query(admin, "create database plain owner plain");
  const connection = { ...inDatabase(admin, "plain"), user: "plain" };
  const failure = await migrate({ connection }).catch((error: Error) => error.message);
  expect(failure).toMatch(
    /^The database user plain may not create roles\. Run this once as an administrator, then start again: create role/,
  );
  await query(admin, String(failure).replace(/^.*?: /, ""));
  expect(await migrate({ connection })).toEqual(ours);
  await untouched.stop();
});

test("a migration that was changed after it had been applied is refused", async () => {
  const directory = copyOfOurs("changed");
  const connection = await emptyDatabase("changed");
  await migrate({ connection, directory });
  writeFileSync(join(directory, "0001_foundation.sql"), "select 1");
  await expect(migrate({ connection, directory })).rejects.toThrow(
    "Migration 0001_foundation.sql was changed after it had been applied",
  );
});

test("a database of a newer version is refused", async () => {
  const directory = copyOfOurs("newer");
  writeFileSync(join(directory, "9999_from_the_future.sql"), "select 1");
  const connection = await emptyDatabase("newer");
  await migrate({ connection, directory });
  await expect(migrate({ connection })).rejects.toThrow("The database has migration 9999_from_the_future.sql");
});

test("a migration that fails leaves nothing behind, names its line, and keeps those before it", async () => {
  const directory = copyOfOurs("failing");
  writeFileSync(join(directory, "9999_failing.sql"), "create table half (id int);\nselect 1;\nselect nonsense;\n");
  const connection = await emptyDatabase("failing");
  await expect(migrate({ connection, directory })).rejects.toThrow(
    /Migration 9999_failing\.sql:3: column "nonsense" does not exist/,
  );
  expect(
    await query(
      connection,
      "select to_regclass('half') as half, (select count(*)::int from schema_migrations) as applied",
    ),
  ).toEqual([{ half: null, applied: ours.length }]);
});

test("the lookup role cannot create anything once the migrations are through", async () => {
  const connection = await emptyDatabase("through");
  await migrate({ connection });
  expect(await query(connection, "select has_schema_privilege('aftercall_lookup', 'public', 'create') as may")).toEqual(
    [{ may: false }],
  );
});

test("options in a database URL are kept beside ours", () => {
  const connection = connectionFrom("postgres://u@h/d?options=-c%20geqo%3Doff&sslmode=disable");
  expect(connection).toEqual({ connectionString: "postgres://u@h/d?sslmode=disable", options: "-c geqo=off" });
});

async function emptyDatabase(name: string): Promise<ClientConfig> {
  await query(cluster.connection, `create database ${name}`);
  return inDatabase(cluster.connection, name);
}

function copyOfOurs(name: string): string {
  const directory = join(folder, name);
  cpSync(fileURLToPath(new URL("../../migrations", import.meta.url)), directory, { recursive: true });
  return directory;
}

async function query(connection: ClientConfig, sql: string): Promise<unknown[]> {
  const client = new Client(connection);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
