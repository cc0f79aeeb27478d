/** Writes server/migrations/schema.sql: what the migrations make of an empty database. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Client } from "pg";

import { withSettings } from "#/db/connect.ts";
import { dumpSchema } from "#/db/dump.ts";
import { startEmbedded } from "#/db/embedded.ts";
import { migrate } from "#/db/migrate.ts";
import { silentLog } from "#/kernel/log.ts";

const dataDir = mkdtempSync(join(tmpdir(), "aftercall-dump-"));
const embedded = await startEmbedded({ dataDir, log: silentLog(), isDurable: false });
try {
  await migrate({ connection: embedded.connection });
  const client = new Client(withSettings(embedded.connection, {}));
  await client.connect();
  const path = fileURLToPath(new URL("../migrations/schema.sql", import.meta.url));
  writeFileSync(path, await dumpSchema(client));
  await client.end();
  console.log(`wrote ${path}`);
} finally {
  await embedded.stop();
  rmSync(dataDir, { recursive: true });
}
