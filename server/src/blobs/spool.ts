import { createHash } from "node:crypto";
import { mkdir, open, readdir, rm, stat, statfs } from "node:fs/promises";
import path from "node:path";

import type { Clock } from "#/kernel/clock.ts";
import type { Ids } from "#/kernel/ids.ts";

/** A file of ours that is still being filled, or that is needed for a moment. Disposing removes it. */
export type Spooled = AsyncDisposable & { readonly path: string; readonly sha256: Buffer; readonly bytes: number };

export type ByteSource = AsyncIterable<Uint8Array>;

export type BlobLimits = {
  readonly bytesMax: number;
  /** From the first byte asked for to the last byte written. */
  readonly timeMsMax: number;
  readonly signal?: AbortSignal;
};

export type BlobLimit = "too_large" | "too_slow" | "disk_full" | "aborted";

/** A limit was reached; nothing of it is kept. */
export class BlobRefused extends Error {
  readonly limit: BlobLimit;
  constructor(limit: BlobLimit, message: string) {
    super(message);
    this.name = "BlobRefused";
    this.limit = limit;
  }
}

/** A folder for files that live for a moment. Their names are made here: nothing that came from outside is part of a path. */
export type Spool = {
  readonly dir: string;
  /** A name for a new file; whoever makes the file removes it. */
  newPath(extension?: string): string;
  /** Writes the source into a new file, synced to disk. @throws BlobRefused */
  write(source: ByteSource, limits: BlobLimits): Promise<Spooled>;
  /** Removes what a process that died left behind: files that nobody wrote to for hours. Others may be at work beside us. */
  sweep(): Promise<void>;
};

export type SpoolOptions = {
  readonly dir: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Space that must stay free on the disk: a database may live beside us. */
  readonly freeBytesMin?: number;
};

export async function createSpool({ dir, clock, ids, freeBytesMin = 256_000_000 }: SpoolOptions): Promise<Spool> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const newPath = (extension = "part") => path.join(dir, `${ids.next()}.${extension}`);

  return {
    dir,
    newPath,
    async write(source, limits) {
      const file = newPath();
      try {
        const written = await fill(file, source, limits);
        return { path: file, ...written, [Symbol.asyncDispose]: () => rm(file, { force: true }) };
      } catch (error) {
        await rm(file, { force: true });
        throw error;
      }
    },
    async sweep() {
      const left = (await readdir(dir)).map((name) => path.join(dir, name));
      await Promise.all(
        left.map(async (file) => {
          const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
          if (mtimeMs < clock.now() - leftForMs) await rm(file, { force: true });
        }),
      );
    },
  };

  async function fill(file: string, source: ByteSource, { bytesMax, timeMsMax, signal }: BlobLimits) {
    await checkSpace();
    const hash = createHash("sha256");
    const startedAt = clock.monotonic();
    let bytes = 0;
    let checkedAt = 0;
    const handle = await open(file, "wx", 0o600);
    try {
      for await (const chunk of bounded(source, timeMsMax, signal)) {
        bytes += chunk.length;
        if (bytes > bytesMax) throw new BlobRefused("too_large", `More than ${bytesMax} bytes`);
        if (clock.monotonic() - startedAt > timeMsMax) throw tooSlow(timeMsMax);
        if (bytes - checkedAt >= spaceCheckBytes) {
          checkedAt = bytes;
          await checkSpace();
        }
        hash.update(chunk);
        await writeAll(handle, chunk);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    return { sha256: hash.digest(), bytes };
  }

  /** The source's own chunks, and an end to waiting for the next one. */
  async function* bounded(source: ByteSource, timeMsMax: number, signal: AbortSignal | undefined) {
    const done = new AbortController();
    // Each wait has a promise of its own: one that lives on would hold every chunk that was ever raced against it.
    let refused: BlobRefused | null = null;
    let endWait: (reason: BlobRefused) => void = () => {};
    const refuse = (reason: BlobRefused) => {
      refused ??= reason;
      endWait(refused);
    };
    void clock.sleep(timeMsMax, done.signal).then(() => refuse(tooSlow(timeMsMax)));
    const onAbort = () => refuse(new BlobRefused("aborted", "Stopped by this server"));
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true, signal: done.signal });
    const chunks = source[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
          endWait = reject;
          if (refused) reject(refused);
          else chunks.next().then(resolve, reject);
        });
        if (next.done) return;
        yield next.value;
      }
    } finally {
      done.abort();
      // Not waited for: a source that hangs would hang here as well.
      void chunks.return?.()?.catch(() => {});
    }
  }

  async function checkSpace(): Promise<void> {
    const { bavail, bsize } = await statfs(dir);
    if (bavail * bsize < freeBytesMin) throw new BlobRefused("disk_full", "The disk has too little space left");
  }
}

/** Nothing is worked at for longer without a word to its file. */
const leftForMs = 6 * 3_600_000;
/** How much may be written between two looks at the free space. */
const spaceCheckBytes = 16_000_000;

function tooSlow(timeMsMax: number): BlobRefused {
  return new BlobRefused("too_slow", `Not complete within ${timeMsMax} ms`);
}

async function writeAll(handle: Awaited<ReturnType<typeof open>>, chunk: Uint8Array): Promise<void> {
  let done = 0;
  while (done < chunk.length) done += (await handle.write(chunk, done)).bytesWritten;
}
