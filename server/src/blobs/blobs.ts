import type { Readable } from "node:stream";

import type { BlobLimits, ByteSource } from "./spool.ts";

/** Large bytes under the hash of their content: in a folder, or in an object store that speaks S3. */
export interface Blobs {
  /**
   * Stores what the source gives, under the sha256 of it. What is stored is on disk, or acknowledged by the object store.
   * @throws BlobRefused when a limit is reached; BlobsUnavailable when the store does not answer.
   */
  put(source: ByteSource, limits: BlobLimits): Promise<StoredBlob>;
  /** Opens it from one byte to another, both included. @throws BlobMissing; BlobsUnavailable */
  open(key: string, range?: ByteRange): Promise<OpenBlob>;
  /** Gone after this, and no error when it was gone already. @throws BlobsUnavailable */
  remove(key: string): Promise<void>;
}

export type StoredBlob = { readonly key: string; readonly sha256: Buffer; readonly bytes: number };

export type ByteRange = { readonly from: number; readonly to: number };

/** `bytes`: what the stream gives. `size`: of the whole blob. */
export type OpenBlob = { readonly stream: Readable; readonly bytes: number; readonly size: number };

export class BlobMissing extends Error {
  constructor(key: string) {
    super(`There is no object ${key}`);
    this.name = "BlobMissing";
  }
}

/** The store is our own part of the work: whoever meets this tries again later. */
export class BlobsUnavailable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "BlobsUnavailable";
  }
}

/** Keys are made by us and by nobody else, and still nothing else may become a path. */
export function checkedKey(key: string): string {
  if (!/^[0-9a-f]{64}$/.test(key)) throw new BlobMissing(JSON.stringify(key.slice(0, 80)));
  return key;
}
