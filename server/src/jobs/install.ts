import type { Client } from "pg";
import { PgBoss } from "pg-boss";

/** The schema that pg-boss keeps to itself. */
export const jobsSchema = "pgboss";

/**
 * Installs or updates the tables of the job queues, as their owner, and lets the application use them. Part of migrating,
 * under the lock of the migrations.
 */
export async function installJobs(client: Client): Promise<void> {
  const boss = new PgBoss({
    db: { executeSql: (text, values) => client.query(text, values) },
    schema: jobsSchema,
    migrate: true,
    supervise: false,
    schedule: false,
  });
  await boss.start();
  await boss.stop({ graceful: false });
  await client.query(`
    grant usage on schema ${jobsSchema} to aftercall_app;
    grant select, insert, update, delete on all tables in schema ${jobsSchema} to aftercall_app;
    grant usage, select on all sequences in schema ${jobsSchema} to aftercall_app;
    grant execute on all functions in schema ${jobsSchema} to aftercall_app`);
}
