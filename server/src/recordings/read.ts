import { rm } from "node:fs/promises";

import type { ByteRange, OpenBlob } from "#/blobs/blobs.ts";
import { openEncrypted } from "#/blobs/encrypted.ts";

import type { RecordingDeps } from "./deps.ts";
import { openDataKey } from "./key.ts";
import { recordingLimits } from "./limits.ts";
import type { RecordingRow } from "./store.ts";

/** Opens a stored recording, or a part of it; null when there are no bytes. @throws BlobMissing, BlobsUnavailable */
export async function openRecording(
  { blobs, box }: Pick<RecordingDeps, "blobs" | "box">,
  row: RecordingRow,
  range?: ByteRange,
): Promise<OpenBlob | null> {
  const dataKey = openDataKey(box, row);
  return dataKey && row.blob_key ? openEncrypted(blobs, row.blob_key, dataKey, range) : null;
}

/** The peaks of a decoded recording; null before it was decoded. */
export async function readPeaks(
  { blobs, box }: Pick<RecordingDeps, "blobs" | "box">,
  row: RecordingRow,
): Promise<Int8Array | null> {
  const dataKey = openDataKey(box, row);
  if (!dataKey || !row.peaks_key) return null;
  const { stream } = await openEncrypted(blobs, row.peaks_key, dataKey);
  const bytes = Buffer.concat(await stream.toArray());
  return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/**
 * Gives a stored recording as a local file, for decoders that seek; the file is gone when `work` is done. `newPath` names
 * further files beside it, which go with it.
 * @throws BlobMissing, BlobsUnavailable, BlobRefused, and what `work` throws
 */
export async function withRecordingFile<T>(
  deps: Pick<RecordingDeps, "blobs" | "box" | "spool">,
  row: RecordingRow,
  work: (path: string, newPath: (extension: string) => string) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const opened = await openRecording(deps, row);
  if (!opened) throw new Error("A recording without bytes has no file");
  const { bytesMax, downloadMsMax } = recordingLimits;
  const made: string[] = [];
  const newPath = (extension: string) => {
    const path = deps.spool.newPath(extension);
    made.push(path);
    return path;
  };
  await using file = await deps.spool.write(opened.stream, {
    bytesMax,
    timeMsMax: downloadMsMax,
    ...(signal && { signal }),
  });
  try {
    return await work(file.path, newPath);
  } finally {
    await Promise.all(made.map((path) => rm(path, { force: true })));
  }
}
