/**
 * A process of its own that runs an embedded database and can be killed: `node embedded-child.ts <dataDir> [exit]`.
 * Says how it is reached in one JSON line; with `exit` it ends at once, without stopping the database first.
 */
import { startEmbedded } from "#/db/embedded.ts";
import { messageOf } from "#/kernel/errors.ts";
import { silentLog } from "#/kernel/log.ts";

const [dataDir = "", then] = process.argv.slice(2);
try {
  const { connection } = await startEmbedded({ dataDir, log: silentLog() });
  console.log(JSON.stringify({ connection }));
  if (then === "exit") process.exit(0);
  setInterval(() => {}, 60_000);
} catch (error) {
  console.log(JSON.stringify({ refused: messageOf(error) }));
}
