import type { Audio } from "#/audio/audio.ts";
import type { Blobs } from "#/blobs/blobs.ts";
import type { Spool } from "#/blobs/spool.ts";
import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";
import type { Random } from "#/kernel/random.ts";
import type { SecretBox } from "#/kernel/secrets.ts";
import type { Sources } from "#/sources/active.ts";

/** What work with recordings needs. */
export type RecordingDeps = {
  readonly db: Db;
  readonly blobs: Blobs;
  /** For files that live for a moment: what is being fetched, and what a decoder reads. */
  readonly spool: Spool;
  readonly audio: Audio;
  readonly http: Pick<GuardedHttp, "request" | "download">;
  readonly sources: Pick<Sources, "byId">;
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
};
