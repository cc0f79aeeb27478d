import { randomBytes } from "node:crypto";

import type { ClientConfig, Pool } from "pg";
import { inject } from "vitest";

import { openAppPool, openOwnerPool } from "#/db/connect.ts";
import { createDb, type Db } from "#/db/transaction.ts";
import { silentLog } from "#/kernel/log.ts";

import { cloneDatabase, dropDatabase } from "./clone.ts";

export type TestDatabase = {
  readonly db: Db;
  /** Bound by row-level security, as in production. */
  readonly appPool: Pool;
  /** Owns the tables. Row-level security is forced, so it sees no tenant's rows either. */
  readonly ownerPool: Pool;
  /** For what opens connections of its own: wake, jobs. */
  readonly connection: ClientConfig;
};

/** The database of this worker: made at the first call, the same one ever after, dropped at the end of the run. */
export function testDatabase(): Promise<TestDatabase> {
  return (shared.database ??= ownDatabase());
}

// Test files of one worker share their modules, and this is the one thing they mean to share.
const shared: { database?: Promise<TestDatabase> } = {};

/** A database of one's own, for tests that change what all would notice (settings, migrations, a whole queue). */
export async function ownDatabase(): Promise<TestDatabase> {
  const template = inject("template");
  const name = `${template}_${randomBytes(4).toString("hex")}`;
  return openDatabase(await cloneDatabase(inject("cluster"), template, name));
}

/** Drops a database made by {@link ownDatabase} before the run ends. */
export async function discardDatabase({ appPool, ownerPool }: TestDatabase): Promise<void> {
  const { rows } = await ownerPool.query<{ name: string }>("select current_database() as name");
  await Promise.all([appPool.end(), ownerPool.end()]);
  await dropDatabase(inject("cluster"), rows[0]?.name ?? "");
}

function openDatabase(connection: ClientConfig): TestDatabase {
  const options = { connection, name: "test", log: silentLog(), mayExit: true };
  const appPool = openAppPool(options);
  return { db: createDb(appPool), appPool, ownerPool: openOwnerPool(options), connection };
}
