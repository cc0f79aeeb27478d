import { cp, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";

import { afterAll, expect, test } from "vitest";

import { composeEraser, erasableCalls } from "#/app/erasure.ts";
import { openEncrypted } from "#/blobs/encrypted.ts";
import { createFolderBlobs } from "#/blobs/folder.ts";
import { systemClock } from "#/kernel/clock.ts";
import { holdCarried } from "#/recordings/carried.ts";
import { fetchRecording } from "#/recordings/fetch.ts";
import { measureRecording } from "#/recordings/measure.ts";
import { redactRecording } from "#/recordings/redact.ts";
import { recordedAt, recordingSetup } from "#/recordings/test-setup.ts";
import { eraseCall } from "#/retention/erase.ts";
import { sweepErasures } from "#/retention/sweep-erasures.ts";

import { knownWav as wav } from "../harness/audio/known-call.ts";
import { startRecordingHost } from "../harness/recording-host.ts";

const { deps, folder, makeTenant, makeSource, makeCall, close } = await recordingSetup();
const host = await startRecordingHost();
const blobs = path.join(folder, "blobs");

afterAll(async () => {
  await Promise.all([host.close(), close()]);
  await rm(folder, { recursive: true });
});

/** The names of all objects below a folder. */
async function objectsIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).toSorted();
}

/** Every value in every row of a tenant that could be a sealed key: bytes as they are, and what is base64 in any text. */
async function candidatesOf(tenantId: string): Promise<Buffer[]> {
  return deps.db.inTransaction([tenantId], async (tx) => {
    const tables = await tx.rows<{ name: string }>(
      `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and has_table_privilege(c.oid, 'select')`,
    );
    const found: Buffer[] = [];
    for (const { name } of tables) {
      for (const { row } of await tx.rows<{ row: string }>(`select to_jsonb(t)::text as row from ${name} t`)) {
        const bytes = [...row.matchAll(/\\\\x((?:[0-9a-f]{2})+)/g)].map((match) => Buffer.from(match[1] ?? "", "hex"));
        const texts = [row, ...bytes.map((one) => one.toString("latin1"))];
        const encoded = texts.flatMap((text) => [...text.matchAll(/[A-Za-z0-9+/]{80,}={0,2}/g)]);
        found.push(...bytes, ...encoded.map(([text]) => Buffer.from(text, "base64")));
      }
    }
    return found;
  });
}

type Places = { readonly recordings: readonly string[]; readonly digests: readonly string[] };

/** Which objects of a copy of the store open with any key that stands anywhere in the database. */
async function openable(dir: string, tenantId: string, { recordings, digests }: Places): Promise<string[]> {
  const copy = createFolderBlobs({ dir, spool: deps.spool });
  const places = [
    ...recordings.map((row) => ({ tenant: tenantId, table: "recordings", row, column: "sealed_key" })),
    ...digests.map((row) => ({ tenant: tenantId, table: "events", row, column: "full_audio" })),
  ];
  const opened = new Set<string>();
  for (const candidate of await candidatesOf(tenantId)) {
    for (const place of places) {
      const key = keyIn(candidate, place);
      if (!key) continue;
      for (const name of await objectsIn(dir)) {
        const read = async () => (await openEncrypted(copy, name, key)).stream.toArray();
        if (await read().then(Boolean, () => false)) opened.add(name);
      }
    }
  }
  return [...opened].toSorted();
}

function keyIn(candidate: Buffer, place: Parameters<typeof deps.box.open>[1]): Buffer | null {
  try {
    return deps.box.open(candidate, place);
  } catch {
    return null;
  }
}

/** A call with all that is kept outside of the database: recording, silenced copy, peaks of both, audio inside an event. */
async function recorded(tenantId: string) {
  host.serve((_request, response) => response.writeHead(200).end(wav));
  const [vapi, elevenlabs] = [await makeSource(tenantId, "vapi"), await makeSource(tenantId, "elevenlabs")];
  const callId = await makeCall(tenantId, vapi, "vapi", recordedAt(`${host.url}/rec.wav`));
  const fetched = await fetchRecording(deps, { tenantId, callId, attempt: 0 });
  if (fetched.kind !== "stored") throw new Error(JSON.stringify(fetched));
  await measureRecording(deps, { tenantId, recordingId: fetched.recording.id });
  const windows = [[1_000, 2_000]] as const;
  const silenced = await redactRecording(deps, { tenantId, recordingId: fetched.recording.id, windows });
  if (silenced.kind !== "stored") throw new Error(JSON.stringify(silenced));
  await using held = await holdCarried(deps, Readable.from([wav]));
  const carried = await held.store(tenantId);
  const body = Buffer.from(JSON.stringify({ type: "post_call_audio", data: { full_audio: carried } }));
  const other = await makeCall(tenantId, elevenlabs, "elevenlabs", recordedAt(null), { body });
  const places = { recordings: [fetched.recording.id, silenced.recording.id], digests: [carried.sha256] };
  return { callIds: [callId, other] as const, places };
}

test("erasing a call shreds it: of a copy of the store nothing opens any more, whatever stands in the database", async () => {
  const [tenantId, neighbour] = [await makeTenant(), await makeTenant()];
  const { callIds, places } = await recorded(tenantId);
  const copy = path.join(folder, "copy");
  await cp(blobs, copy, { recursive: true });
  const objects = await objectsIn(copy);
  expect(objects).toHaveLength(5);
  for (const name of objects) {
    const bytes = await readFile(path.join(copy, name.slice(0, 2), name.slice(2, 4), name));
    expect(bytes.includes(wav.subarray(5_000, 5_100))).toBe(false);
  }
  // The proof finds what there is to find: before, every object opens.
  expect(await openable(copy, tenantId, places)).toEqual(objects);
  await recorded(neighbour);
  const kept = (await objectsIn(blobs)).filter((name) => !objects.includes(name));

  const eraser = composeEraser({ ids: deps.ids, clock: systemClock, react: async () => [] });
  await deps.db.inTransaction([tenantId], (tx) =>
    eraseCall(tx, eraser, { tenantId, callIds, cause: "request", actor: "test", reason: null }),
  );
  expect(await objectsIn(copy)).toEqual(objects);
  expect(await openable(copy, tenantId, places)).toEqual([]);

  // And the objects themselves go, that of the event too, those of others stay.
  await sweepErasures({ db: deps.db, ...eraser, ...erasableCalls, removeBlob: (key) => deps.blobs.remove(key) });
  expect(await objectsIn(blobs)).toEqual(kept);
  expect(kept).toHaveLength(5);
  expect(await readdir(deps.spool.dir)).toEqual([]);
});

test("an event that only looks as if it carried a recording is erased like any other, and names nothing to remove", async () => {
  const tenantId = await makeTenant();
  const source = await makeSource(tenantId, "elevenlabs");
  const audio = { blob_key: "../../../etc/passwd", sealed_key: "x", sha256: "y", bytes: 1 };
  for (const body of ['said "sealed_key"', JSON.stringify({ data: { full_audio: audio } })]) {
    const callId = await makeCall(tenantId, source, "elevenlabs", recordedAt(null), { body: Buffer.from(body) });
    const eraser = composeEraser({ ids: deps.ids, clock: systemClock, react: async () => [] });
    await deps.db.inTransaction([tenantId], async (tx) => {
      await eraseCall(tx, eraser, { tenantId, callIds: [callId], cause: "request", actor: "test", reason: null });
      const [event] = await tx.rows<{ body: Buffer }>("select body from events where call_id = $1", [callId]);
      expect(event?.body).toHaveLength(0);
      expect(await tx.rows("select 1 from erasures where call_id = $1 and finished_at is null", [callId])).toEqual([]);
    });
  }
});
