import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ClientConfig } from "pg";
import { expect, test } from "vitest";

import { discardDatabase, ownDatabase } from "../../test/harness/database.ts";
import { silentLog } from "../kernel/log.ts";
import { openAppPool } from "./connect.ts";
import { checkDurability, type Durability } from "./durability.ts";
import { startEmbedded } from "./embedded.ts";
import { migrate, readMigrations } from "./migrate.ts";

test("the embedded database as it comes keeps what was acknowledged", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "aftercall-durable-"));
  const embedded = await startEmbedded({ dataDir, log: silentLog() });
  await migrate({ connection: embedded.connection });
  expect(await check(embedded.connection)).toEqual({ state: "full", reasons: [] });
  await embedded.stop();
  rmSync(dataDir, { recursive: true });
});

test.each([
  [
    "a setting of the database",
    "alter database %DB% set synchronous_commit = off",
    /synchronous_commit is off \(set by: database\)/,
  ],
  [
    "a table open to all tenants",
    "alter table users no force row level security",
    /table users is without forced row-level security/,
  ],
  ["a table without a policy at all", "create table loose (tenant_id uuid)", /table loose is without forced/],
  ["a migration that is not applied", "delete from schema_migrations", /migration 0001_foundation\.sql is not applied/],
])("%s is seen", async (_, sql, reason) => {
  const database = await ownDatabase();
  const { rows } = await database.ownerPool.query<{ name: string }>("select current_database() as name");
  await database.ownerPool.query(sql.replace("%DB%", rows[0]?.name ?? ""));
  const durability = await check(database.connection);
  expect(durability.state).toBe("degraded");
  expect(durability.reasons.filter((each) => reason.test(each))).toHaveLength(1);
  await discardDatabase(database);
});

async function check(connection: ClientConfig): Promise<Durability> {
  const pool = openAppPool({ connection, name: "test", log: silentLog() });
  try {
    return await checkDurability(pool, readMigrations());
  } finally {
    await pool.end();
  }
}
