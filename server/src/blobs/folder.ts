import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import path from "node:path";

import { type Blobs, BlobMissing, checkedKey } from "./blobs.ts";
import type { Spool } from "./spool.ts";

export type FolderOptions = {
  readonly dir: string;
  /** On the same file system, so that a file appears under its name at once and whole. */
  readonly spool: Spool;
};

/** Blobs as files below a folder: `ab/cd/abcd…`. */
export function createFolderBlobs({ dir, spool }: FolderOptions): Blobs {
  const fileOf = (key: string) => path.join(dir, key.slice(0, 2), key.slice(2, 4), checkedKey(key));

  return {
    async put(source, limits) {
      await using spooled = await spool.write(source, limits);
      const { sha256, bytes } = spooled;
      const key = sha256.toString("hex");
      const file = fileOf(key);
      const made = await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      await rename(spooled.path, file);
      await syncFolders(path.dirname(file), made === undefined ? path.dirname(file) : dir);
      return { key, sha256, bytes };
    },

    async open(key, range) {
      const file = fileOf(key);
      const { size } = await stat(file).catch((error: unknown) => {
        throw isMissing(error) ? new BlobMissing(key) : error;
      });
      if (size === 0) return { stream: createReadStream(file), bytes: 0, size };
      const { from, to } = range ?? { from: 0, to: size - 1 };
      const end = Math.min(to, size - 1);
      const stream = createReadStream(file, { start: from, end, highWaterMark: readBytes });
      return { stream, bytes: Math.max(end - from + 1, 0), size };
    },

    async remove(key) {
      await rm(fileOf(key), { force: true });
    },
  };
}

const readBytes = 262_144;

/** A rename is on disk when its folder is, and a new folder when the one above it is. */
async function syncFolders(from: string, upTo: string): Promise<void> {
  for (let folder = from; ; folder = path.dirname(folder)) {
    // oxlint-disable-next-line no-await-in-loop -- From the inside out, and there are three at most.
    const handle = await open(folder);
    // oxlint-disable-next-line no-await-in-loop -- As above.
    await handle.sync();
    // oxlint-disable-next-line no-await-in-loop -- As above.
    await handle.close();
    if (folder === upTo || folder === path.dirname(folder)) return;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
