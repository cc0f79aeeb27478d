import { Client, type ClientConfig, type QueryResult, type QueryResultRow } from "pg";
import type { TestProject } from "vitest/node";

import { migrate } from "#/db/migrate.ts";
import { installJobs } from "#/jobs/install.ts";

import { inDatabase } from "./clone.ts";
import { startCluster } from "./cluster.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Connection of the owner to the server that tests run on. */
    cluster: ClientConfig;
    /** The migrated database that {@link testDatabase} copies. */
    template: string;
  }
}

/** Runs once for all tests: a server, and in it one migrated database to copy. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startCluster(process.env.TEST_DATABASE_URL);
  const template = `aftercall_test_${process.pid}`;
  await run(cluster.connection, `drop database if exists ${template} with (force)`);
  await run(cluster.connection, `create database ${template}`);
  await migrate({ connection: inDatabase(cluster.connection, template), afterwards: installJobs });
  project.provide("cluster", cluster.connection);
  project.provide("template", template);
  return async () => {
    await dropAll(cluster.connection, template);
    await cluster.stop();
  };
}

async function dropAll(connection: ClientConfig, template: string): Promise<void> {
  const { rows } = await run<{ datname: string }>(
    connection,
    `select datname from pg_database where datname like '${template}%'`,
  );
  for (const { datname } of rows) await run(connection, `drop database if exists ${datname} with (force)`);
}

async function run<Row extends QueryResultRow>(connection: ClientConfig, sql: string): Promise<QueryResult<Row>> {
  const client = new Client(connection);
  await client.connect();
  try {
    return await client.query<Row>(sql);
  } finally {
    await client.end();
  }
}
