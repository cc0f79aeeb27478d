import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";

import { openEncrypted, putEncrypted } from "#/blobs/encrypted.ts";
import type { SecretBox } from "#/kernel/secrets.ts";
import type { StoredAudio } from "#/providers/recording.ts";

import type { RecordingDeps } from "./deps.ts";
import { recordingLimits } from "./limits.ts";

type Deps = Pick<RecordingDeps, "blobs" | "spool" | "box" | "random">;

/** A recording that came inside an event, in a file of ours until it is known whose it is. */
export type CarriedAudio = AsyncDisposable & {
  readonly bytes: number;
  /** Puts it into the store for a tenant, under a key that only that tenant's rows open. @throws BlobRefused, BlobsUnavailable */
  store(tenantId: string): Promise<StoredAudio>;
};

/** Takes the recording out of an event that is too large to be kept, while it comes in. @throws BlobRefused */
export async function holdCarried(deps: Deps, source: AsyncIterable<Buffer>): Promise<CarriedAudio> {
  const limits = { bytesMax: recordingLimits.bytesMax, timeMsMax: recordingLimits.downloadMsMax };
  const spooled = await deps.spool.write(source, limits);
  return {
    bytes: spooled.bytes,
    async store(tenantId) {
      const dataKey = deps.random(32);
      const sha256 = spooled.sha256.toString("hex");
      const { key } = await putEncrypted(
        deps.blobs,
        createReadStream(spooled.path, { highWaterMark: 262_144 }),
        { dataKey, random: deps.random },
        limits,
      );
      const sealed = deps.box.seal(dataKey, placeOf(tenantId, sha256));
      return { blob_key: key, sealed_key: sealed.toString("base64"), sha256, bytes: spooled.bytes };
    },
    [Symbol.asyncDispose]: () => spooled[Symbol.asyncDispose](),
  };
}

/** @throws BlobMissing, BlobsUnavailable; SealedElsewhere for what is another tenant's */
export async function openCarried(
  { blobs, box }: { blobs: Deps["blobs"]; box: SecretBox },
  tenantId: string,
  stored: StoredAudio,
): Promise<Readable> {
  const dataKey = box.open(Buffer.from(stored.sealed_key, "base64"), placeOf(tenantId, stored.sha256));
  return (await openEncrypted(blobs, stored.blob_key, dataKey)).stream;
}

function placeOf(tenant: string, sha256: string) {
  return { tenant, table: "events", row: sha256, column: "full_audio" };
}
