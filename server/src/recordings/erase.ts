import type { RecordingDeps } from "./deps.ts";
import { recordingsOfCall, shredRecording } from "./store.ts";

/**
 * Erases what is stored of a call's recordings: first the keys, so that nobody can read them any more, then the bytes. Bytes that
 * the object store keeps for a while longer, or in a backup, are noise.
 * @throws BlobsUnavailable after the keys are gone: to be called again for the bytes is not needed.
 */
export async function eraseRecordings(
  { db, blobs }: Pick<RecordingDeps, "db" | "blobs">,
  { tenantId, callId }: { tenantId: string; callId: string },
): Promise<number> {
  const shredded = await db.inTransaction([tenantId], async (tx) => {
    const rows = await recordingsOfCall(tx, tenantId, callId);
    const gone = [];
    // oxlint-disable-next-line no-await-in-loop -- One transaction, one connection.
    for (const row of rows) gone.push(await shredRecording(tx, tenantId, row.id));
    return gone.filter((row) => row !== null);
  });
  const keys = shredded.flatMap((row) => [row.blob_key, row.peaks_key]).filter((key) => key !== null);
  await Promise.all(keys.map((key) => blobs.remove(key)));
  return shredded.length;
}
