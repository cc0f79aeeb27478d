import path from "node:path";

import { createAudio } from "#/audio/audio.ts";
import type { Blobs } from "#/blobs/blobs.ts";
import { createFolderBlobs } from "#/blobs/folder.ts";
import { createS3Blobs } from "#/blobs/s3.ts";
import { createSpool, type Spool } from "#/blobs/spool.ts";
import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Config } from "#/kernel/config.ts";
import type { Ids } from "#/kernel/ids.ts";
import { createGuardedHttp, type GuardedHttp } from "#/kernel/net/http.ts";
import type { Random } from "#/kernel/random.ts";
import type { SecretBox } from "#/kernel/secrets.ts";
import type { RecordingDeps } from "#/recordings/deps.ts";
import { createLinks, type Links } from "#/recordings/links.ts";
import type { Sources } from "#/sources/active.ts";

export type RecordingParts = {
  readonly config: Config;
  readonly db: Db;
  readonly http: GuardedHttp;
  readonly sources: Sources;
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
};

/** Where recordings live, who decodes them, and links to them. */
export type Recordings = { readonly deps: RecordingDeps; readonly links: Links; close(): Promise<void> };

export async function composeRecordings(parts: RecordingParts): Promise<Recordings> {
  const { config, clock, ids } = parts;
  const spool = await createSpool({ dir: path.join(config.dataDir, "spool"), clock, ids });
  await spool.sweep();
  const { blobs, close } = blobsFor(config, spool, clock);
  const audio = createAudio({ clock });
  return { deps: { ...parts, blobs, spool, audio }, links: createLinks({ secret: config.secret, clock }), close };
}

function blobsFor(config: Config, spool: Spool, clock: Clock): { blobs: Blobs; close: () => Promise<void> } {
  const {
    s3Endpoint: endpoint,
    s3Bucket: bucket,
    s3AccessKeyId: accessKeyId,
    s3SecretAccessKey: secretAccessKey,
  } = config;
  if (endpoint === null || bucket === null || accessKeyId === null || secretAccessKey === null) {
    return { blobs: createFolderBlobs({ dir: path.join(config.dataDir, "blobs"), spool }), close: async () => {} };
  }
  // The operator's own store, usually in the operator's own network: nobody else has a say in its address.
  const http = createGuardedHttp({ privateTargets: ["0.0.0.0/0", "::/0"], allowHttp: true, clock });
  const access = { bucket, region: config.s3Region, accessKeyId, secretAccessKey };
  return {
    blobs: createS3Blobs({ endpoint, ...access, http, privateTargets: [], spool, clock }),
    close: () => http.close(),
  };
}
