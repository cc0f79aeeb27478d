import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { testDatabase } from "../../test/harness/database.ts";
import { dumpSchema } from "./dump.ts";

test("the committed schema is what the migrations make (npm run db:dump)", async () => {
  const { ownerPool } = await testDatabase();
  const client = await ownerPool.connect();
  try {
    const committed = readFileSync(fileURLToPath(new URL("../../migrations/schema.sql", import.meta.url)), "utf8");
    expect(await dumpSchema(client)).toBe(committed);
  } finally {
    client.release();
  }
});
