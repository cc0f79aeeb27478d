import pg from "pg";
import { expect, inject, test } from "vitest";

import { dropDatabase, inDatabase } from "../../test/harness/clone.ts";
import { testDatabase } from "../../test/harness/database.ts";
import { findsTrigrams } from "./trigrams.ts";

test("a database that takes Hebrew letters for no letters is told from one that knows them", async () => {
  const { appPool } = await testDatabase();
  expect(await findsTrigrams(appPool)).toBe(true);
  const cluster = inject("cluster");
  const name = `${inject("template")}_lc_ctype_c`;
  const admin = new pg.Client(cluster);
  await admin.connect();
  await admin.query(`create database ${name} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'`);
  await admin.end();
  const blind = new pg.Pool(inDatabase(cluster, name));
  try {
    await blind.query("create extension pg_trgm");
    expect(await findsTrigrams(blind)).toBe(false);
  } finally {
    await blind.end();
    await dropDatabase(cluster, name);
  }
});
