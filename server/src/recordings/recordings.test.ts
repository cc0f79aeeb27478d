import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";

import { afterAll, expect, test } from "vitest";

import { openEncrypted } from "#/blobs/encrypted.ts";

import { trueSpeech } from "../../test/harness/audio/calls.ts";
import { hasFfmpeg, mono, mp3Of } from "../../test/harness/audio/files.ts";
import { knownCall, knownWav as wav } from "../../test/harness/audio/known-call.ts";
import { startRecordingHost } from "../../test/harness/recording-host.ts";
import { holdCarried } from "./carried.ts";
import { fetchRecording } from "./fetch.ts";
import { forgetRecordings } from "./forget-store.ts";
import { recordingLimits } from "./limits.ts";
import { measureRecording } from "./measure.ts";
import { openRecording, readPeaks } from "./read.ts";
import { loadRecording, type RecordingRow } from "./store.ts";
import { recordedAt, recordingSetup } from "./test-setup.ts";

const { deps, folder, makeTenant, makeSource, makeCall, close } = await recordingSetup();
const host = await startRecordingHost();
const victim = await startRecordingHost("127.0.0.2");
const isTwilio = { slot: "auth_token", value: "the-token-of-twilio", keyId: `AC${"0".repeat(32)}` };

afterAll(async () => {
  await Promise.all([host.close(), victim.close(), close()]);
  await rm(folder, { recursive: true });
});

/** A call whose recording some provider announced at this address. */
async function announced(url: string | null, provider = "vapi", channels: number | null = null) {
  const tenantId = await makeTenant();
  const secrets = provider === "twilio" ? [isTwilio] : [{ slot: "secret", value: "a-secret-of-this-source" }];
  const source = await makeSource(tenantId, provider, { secrets });
  const callId = await makeCall(tenantId, source, provider, recordedAt(url, channels));
  return { tenantId, callId, attempt: 0 };
}

test("a recording is fetched, kept encrypted under its own key, decoded once, and gone when it is erased", async () => {
  host.serve((_request, response) => response.writeHead(200, { "content-type": "text/html" }).end(wav));
  const input = await announced(`${host.url}/rec.mp3?X-Amz-Signature=one`);
  const result = await fetchRecording(deps, input);
  if (result.kind !== "stored") throw new Error(JSON.stringify(result));
  const row = result.recording;
  const sha256 = createHash("sha256").update(wav).digest();
  expect(row).toMatchObject({ state: "stored", bytes: wav.length, mime: "audio/wav", sha256, reason: null });

  const onDisk = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const contents = await Promise.all(onDisk.map((entry) => readFile(path.join(entry.parentPath, entry.name))));
  expect(contents.some((bytes) => bytes.includes(wav.subarray(5_000, 5_100)))).toBe(false);
  const opened = await openRecording(deps, row, { from: 100, to: 199 });
  expect(Buffer.concat((await opened?.stream.toArray()) ?? [])).toEqual(wav.subarray(100, 200));

  const asked = host.requests.length;
  expect(await fetchRecording(deps, input)).toMatchObject({ kind: "stored", recording: { id: row.id } });
  expect(host.requests).toHaveLength(asked);

  const measured = await measureRecording(deps, { tenantId: input.tenantId, recordingId: row.id });
  expect(measured).toMatchObject({
    kind: "measured",
    facts: { durationMs: 13_000, channels: 2, channelMap: [], isSilent: false },
    recording: { codec: "pcm_mulaw", sample_rate_hz: 8_000 },
  });
  if (measured.kind !== "measured") throw new Error("not measured");
  expect(measured.facts.speechByChannel[1]?.[0]?.[0]).toBe(trueSpeech(knownCall, "agent")[0]?.[0]);
  expect(await readPeaks(deps, measured.recording)).toHaveLength(5_200);
  const again = await measureRecording(deps, { tenantId: input.tenantId, recordingId: row.id });
  expect(again).toEqual(measured);

  const forget = () =>
    deps.db.inTransaction([input.tenantId], (tx) => forgetRecordings(tx, input.tenantId, [input.callId]));
  const { rows, blobKeys } = await forget();
  expect([rows, blobKeys.length]).toEqual([1, 2]);
  await Promise.all(blobKeys.map((key) => deps.blobs.remove(key)));
  expect(await forget()).toEqual({ rows: 0, blobKeys: [] });
  expect(await measureRecording(deps, { tenantId: input.tenantId, recordingId: row.id })).toEqual({ kind: "gone" });
  expect(await openRecording(deps, await rowOf(input.tenantId, row.id))).toBeNull();
  expect(await readdir(deps.spool.dir)).toEqual([]);
  expect(await fetchRecording(deps, input)).toMatchObject({ kind: "none", detail: "The recording was erased" });
});

test("the recording of an ElevenLabs event is taken out of its body", async () => {
  const mp3 = await mp3Of(mono(knownCall));
  const tenantId = await makeTenant();
  const source = await makeSource(tenantId, "elevenlabs");
  const body = Buffer.from(JSON.stringify({ type: "post_call_audio", data: { full_audio: mp3.toString("base64") } }));
  const callId = await makeCall(tenantId, source, "elevenlabs", recordedAt(null), { body });
  const result = await fetchRecording(deps, { tenantId, callId, attempt: 0 });
  expect(result).toMatchObject({ kind: "stored", recording: { mime: "audio/mpeg", bytes: mp3.length } });
});

test("a recording that intake put into the store moves to its own place, and opens for its tenant alone", async () => {
  const [tenantId, stranger] = [await makeTenant(), await makeTenant()];
  await using held = await holdCarried(deps, Readable.from([wav]));
  const stored = await held.store(tenantId);
  const body = Buffer.from(JSON.stringify({ data: { full_audio: stored } }));
  const callOf = async (tenant: string) =>
    makeCall(tenant, await makeSource(tenant, "elevenlabs"), "elevenlabs", recordedAt(null), { body });

  const stolen = await fetchRecording(deps, { tenantId: stranger, callId: await callOf(stranger), attempt: 0 });
  expect(stolen).toMatchObject({ kind: "failed", reason: "recording_unavailable" });
  const result = await fetchRecording(deps, { tenantId, callId: await callOf(tenantId), attempt: 0 });
  expect(result).toMatchObject({ kind: "stored", recording: { bytes: wav.length, mime: "audio/wav" } });
  await expect(deps.blobs.open(stored.blob_key)).rejects.toThrow("no object");
});

test("two channels of a Twilio call are asked for first, and it is known who is on which", async () => {
  host.serve((_request, response) => response.writeHead(200).end(wav));
  const seen = host.requests.length;
  const result = await fetchRecording(deps, await announced(`${host.url}/RE1.wav`, "twilio", 2));
  expect(result).toMatchObject({ kind: "stored", recording: { channel_map: ["customer", "agent"] } });
  expect(host.requests[seen]?.url).toBe("/RE1.wav?RequestedChannels=2");
});

test("what may pass is tried again by the schedule, and given up at its end", async () => {
  const input = await announced(`${host.url}/late.wav`);
  for (const [answer, waits] of [
    [{ status: 404 }, 5_000],
    [{ status: 503 }, 5_000],
    [{ status: 429, headers: { "retry-after": "60" } }, 60_000],
  ] as const) {
    host.serve((_request, response) =>
      response.writeHead(answer.status, "headers" in answer ? answer.headers : {}).end(),
    );
    // oxlint-disable-next-line no-await-in-loop -- One attempt after the other.
    const result = await fetchRecording(deps, input);
    expect(result).toMatchObject({ kind: "retry", reason: "recording_unavailable", retryAfterMs: waits });
  }
  host.serve((_request, response) => response.destroy());
  const waits = await Promise.all(
    recordingLimits.scheduleMs.map(async (_ms, attempt) => {
      const result = await fetchRecording(deps, { ...(await announced(`${host.url}/never.wav`)), attempt });
      return result.kind === "retry" ? result.retryAfterMs : result.kind;
    }),
  );
  expect(waits).toEqual([5_000, 30_000, 120_000, 600_000, 1_800_000, 7_200_000, "failed"]);
});

test("an address that has expired is not asked, and what the provider removed is not waited for", async () => {
  const seen = host.requests.length;
  const expired = await announced(`${host.url}/rec.wav?Expires=1000000000&Signature=x`);
  expect(await fetchRecording(deps, expired)).toMatchObject({ kind: "failed", reason: "recording_expired" });
  expect(host.requests).toHaveLength(seen);
  host.serve((_request, response) => response.writeHead(410).end());
  const removed = await fetchRecording(deps, await announced(`${host.url}/rec.wav`));
  expect(removed).toMatchObject({ kind: "failed", reason: "recording_expired" });
});

test("a call without a recording says why", async () => {
  const tenantId = await makeTenant();
  const source = await makeSource(tenantId, "vapi");
  const nothing = await makeCall(tenantId, source, "vapi", {});
  expect(await fetchRecording(deps, { tenantId, callId: nothing, attempt: 0 })).toMatchObject({ kind: "none" });
  const words = [
    ["pending", "waiting"],
    ["absent", "none"],
    ["failed", "failed"],
  ] as const;
  for (const [status, kind] of words) {
    const facts = { recording: { status, url: null, duration_ms: null, channels: null } };
    // oxlint-disable-next-line no-await-in-loop -- Few.
    const callId = await makeCall(tenantId, source, "vapi", facts);
    // oxlint-disable-next-line no-await-in-loop -- Few.
    expect(await fetchRecording(deps, { tenantId, callId, attempt: 0 })).toMatchObject({ kind });
  }
});

test("rec-cred-leak (H178): a recording on a host that is not Twilio's gets no credentials of Twilio", async () => {
  host.serve((_request, response) => response.writeHead(200).end(wav));
  const seen = host.requests.length;
  const url = `${host.url}/2010-04-01/Accounts/AC${"0".repeat(32)}/Recordings/RE1.wav`;
  await fetchRecording(deps, await announced(url, "twilio"));
  const headers = host.requests.slice(seen).map((request) => request.headers);
  expect(headers).toHaveLength(1);
  expect(JSON.stringify(headers)).not.toMatch(/authorization|the-token-of-twilio/i);
});

test("rec-redirect (H179): a redirect to a private address reaches nobody, and credentials never follow a redirect", async () => {
  host.serve((_request, response) => response.writeHead(302, { location: `${victim.url}/latest/meta-data` }).end());
  const result = await fetchRecording(deps, await announced(`${host.url}/rec.wav`));
  expect(result).toEqual({
    kind: "failed",
    reason: "recording_refused",
    detail: "Its address is not one that this server connects to",
  });
  expect(victim.requests).toEqual([]);

  const loop = host.requests.length;
  host.serve((request, response) => response.writeHead(307, { location: request.url }).end());
  expect(await fetchRecording(deps, await announced(`${host.url}/loop.wav`))).toMatchObject({ kind: "failed" });
  expect(host.requests.length - loop).toBe(recordingLimits.redirectsMax + 1);
});

test("rec-ffconcat (H181): a list of files that names /etc/passwd is refused before any decoder sees it", async () => {
  host.serve((_request, response) =>
    response.writeHead(200, { "content-type": "audio/wav" }).end("ffconcat version 1.0\nfile /etc/passwd\n"),
  );
  const input = await announced(`${host.url}/rec.wav`);
  expect(await fetchRecording(deps, input)).toEqual({
    kind: "failed",
    reason: "recording_refused",
    detail: "The file is no sound but a list of other files (ffconcat)",
  });
  expect(await readdir(deps.spool.dir)).toEqual([]);
});

test.skipIf(!hasFfmpeg)(
  "rec-flac-bomb (H182): ten hours in a few megabytes are given up, in bounded memory",
  async () => {
    const bomb = path.join(folder, "bomb.flac");
    const silence = ["-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "36000", "-c:a", "flac", bomb];
    execFileSync("ffmpeg", ["-loglevel", "error", ...silence]);
    const bytes = await readFile(bomb);
    expect(bytes.length).toBeLessThan(10_000_000);
    host.serve((_request, response) => response.writeHead(200).end(bytes));
    const input = await announced(`${host.url}/rec.flac`);
    const stored = await fetchRecording(deps, input);
    if (stored.kind !== "stored") throw new Error(JSON.stringify(stored));
    const before = process.memoryUsage().rss;
    const measured = await measureRecording(deps, { tenantId: input.tenantId, recordingId: stored.recording.id });
    expect(measured).toMatchObject({ kind: "failed", reason: "recording_too_long" });
    expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000);
    expect(await readdir(deps.spool.dir)).toEqual([]);
  },
);

test("rec-endless (H184): a body without end, or one longer than it says, takes no more than it may", async () => {
  host.serve((_request, response) => {
    response.writeHead(200, { "content-length": "100" });
    // What is behind the stated length is no part of the answer.
    response.socket?.write(
      Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"), Buffer.alloc(1_000_000)]),
    );
  });
  const lying = await fetchRecording(deps, await announced(`${host.url}/lying.wav`));
  expect(lying).toMatchObject({ reason: "recording_refused" });

  let sent = 0;
  host.serve((_request, response) => {
    response.writeHead(200);
    const chunk = Buffer.alloc(1_000_000, "RIFF....WAVE");
    const more = () => {
      while (!response.destroyed) {
        sent += chunk.length;
        if (!response.write(chunk)) return void response.once("drain", more);
      }
    };
    more();
  });
  const endless = await fetchRecording(deps, await announced(`${host.url}/endless.wav`));
  expect(endless).toMatchObject({ kind: "failed", reason: "recording_too_large" });
  expect(sent).toBeLessThan(recordingLimits.bytesMax + 100_000_000);
  expect(await readdir(deps.spool.dir)).toEqual([]);
}, 120_000);

test("rec-traversal (H185): no name from outside becomes a path", async () => {
  host.serve((_request, response) =>
    response.writeHead(200, { "content-disposition": 'attachment; filename="../../../../etc/x"' }).end(wav),
  );
  const outside = await readdir(path.dirname(folder));
  const result = await fetchRecording(deps, await announced(`${host.url}/..%2f..%2f..%2fetc%2fx.wav`));
  expect(result).toMatchObject({ kind: "stored" });
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  expect(files.filter((entry) => !/^[0-9a-f]{64}$/.test(entry.name) && entry.name !== "bomb.flac")).toEqual([]);
  expect((await readdir(path.dirname(folder))).filter((name) => !outside.includes(name) && name === "x")).toEqual([]);
});

test("a recording stored under one row opens for no other", async () => {
  host.serve((_request, response) => response.writeHead(200).end(wav));
  const [one, other] = [await announced(`${host.url}/1.wav`), await announced(`${host.url}/2.wav`)];
  const [first, second] = [await fetchRecording(deps, one), await fetchRecording(deps, other)];
  if (first.kind !== "stored" || second.kind !== "stored") throw new Error("not stored");
  expect(first.recording.blob_key).not.toBe(second.recording.blob_key);
  await expect(openRecording(deps, { ...second.recording, sealed_key: first.recording.sealed_key })).rejects.toThrow(
    "sealed",
  );
  const wrong = deps.random(32);
  const opened = openEncrypted(deps.blobs, first.recording.blob_key ?? "", wrong).then(({ stream }) =>
    stream.toArray(),
  );
  await expect(opened).rejects.toThrow("unable to authenticate");
});

async function rowOf(tenantId: string, id: string): Promise<RecordingRow> {
  const row = await deps.db.inTransaction([tenantId], (tx) => loadRecording(tx, tenantId, id));
  if (!row) throw new Error("The row is gone");
  return row;
}
