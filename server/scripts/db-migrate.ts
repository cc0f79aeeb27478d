/** Brings the database of DATABASE_URL, or the embedded one, to the schema of this version, and says what it did. */
import { connectionFrom } from "#/db/connect.ts";
import { startEmbedded } from "#/db/embedded.ts";
import { migrate } from "#/db/migrate.ts";
import { installJobs } from "#/jobs/install.ts";
import { loadConfig } from "#/kernel/config.ts";
import { messageOf } from "#/kernel/errors.ts";
import { silentLog } from "#/kernel/log.ts";

try {
  const { config } = loadConfig();
  const embedded = config.databaseUrl ? null : await startEmbedded({ dataDir: config.dataDir, log: silentLog() });
  const connection = embedded?.connection ?? connectionFrom(config.databaseUrl ?? "");
  try {
    const applied = await migrate({ connection, afterwards: installJobs });
    console.log(applied.length > 0 ? `applied ${applied.join(", ")}` : "nothing to apply: the schema is current");
  } finally {
    await embedded?.stop();
  }
} catch (error) {
  console.error(`cannot migrate: ${messageOf(error)}`);
  process.exitCode = 1;
}
