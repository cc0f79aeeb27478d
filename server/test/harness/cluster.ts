import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ClientConfig } from "pg";

import { connectionFrom } from "#/db/connect.ts";
import { startEmbedded } from "#/db/embedded.ts";
import { DirectoryInUse } from "#/db/embedded/lock.ts";
import { silentLog } from "#/kernel/log.ts";

export type Cluster = { readonly connection: ClientConfig; stop(): Promise<void> };

/** The server that tests run on: the given one, or an embedded one that forgets everything. */
export async function startCluster(url: string | undefined): Promise<Cluster> {
  if (url) return { connection: connectionFrom(url), stop: async () => {} };
  await removeLeftovers();
  const dataDir = mkdtempSync(join(tmpdir(), prefix));
  const embedded = await startEmbedded({ dataDir, log: silentLog(), isDurable: false });
  return {
    connection: embedded.connection,
    async stop() {
      await embedded.stop();
      // Another run may be looking whether it was left behind.
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

const prefix = "aftercall-test-";

/** A run that was killed leaves its server behind: taken over, stopped and removed by the next. One that is in use is left alone. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(prefix))) {
    const dataDir = join(tmpdir(), name);
    try {
      const leftover = await startEmbedded({ dataDir, log: silentLog(), isDurable: false });
      await leftover.stop();
      rmSync(dataDir, { recursive: true, force: true });
    } catch (error) {
      if (!(error instanceof DirectoryInUse)) rmSync(dataDir, { recursive: true, force: true });
    }
  }
}
