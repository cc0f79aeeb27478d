import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";

import { toPublicId } from "@aftercall/contract/id.ts";
import { afterAll, expect, test } from "vitest";

import { Unavailable } from "#/kernel/errors.ts";
import { silentLog } from "#/kernel/log.ts";
import { createMetrics } from "#/kernel/metrics.ts";
import { digest } from "#/kernel/secrets.ts";
import { fetchRecording } from "#/recordings/fetch.ts";
import { forgetRecordings } from "#/recordings/forget-store.ts";
import { createLinks } from "#/recordings/links.ts";
import { openRecording } from "#/recordings/read.ts";
import { findRecording } from "#/recordings/store.ts";
import { recordedAt, recordingSetup } from "#/recordings/test-setup.ts";

import { knownWav as wav } from "../../test/harness/audio/known-call.ts";
import { createFakeClock } from "../../test/harness/clock.ts";
import { startRecordingHost } from "../../test/harness/recording-host.ts";
import { createAuth } from "./auth.ts";
import { rangeOf } from "./range.ts";
import { createRates } from "./rates.ts";
import { registerRecordingAudio } from "./recording-audio.ts";
import { createServer } from "./server.ts";

const { deps, folder, makeTenant, makeSource, makeCall, close } = await recordingSetup();
const clock = createFakeClock();
const links = createLinks({ secret: "root-key-of-this-test-0123456789abcdef", clock });
const host = await startRecordingHost();
host.serve((_request, response) => response.writeHead(200).end(wav));

const tenants = new Map<string, string>();
const auth = createAuth({
  clock,
  jwtSecret: null,
  membershipsOf: async () => [],
  async callerOfKey(asked) {
    for (const [key, tenant] of tenants) {
      if (digest(key).equals(asked)) return { tenant, actor: { kind: "api_key", id: key, role: "viewer" } };
      if (digest(`${key}-without-scopes`).equals(asked)) {
        return { tenant, actor: { kind: "api_key", id: key, role: "viewer", scopes: ["calls:read"] } };
      }
    }
    return null;
  },
});
const options = { publicUrl: "http://localhost", trustedProxies: [], log: silentLog(), metrics: createMetrics() };
const server = createServer({ ...options, clock: deps.clock, ids: deps.ids });
registerRecordingAudio(server, {
  auth,
  rates: createRates({ readsPerMinute: 20, writesPerMinute: 20 }, clock),
  links,
  find: (wanted) => findRecording(deps.db, wanted),
  open: (row, range) => openRecording(deps, row, range),
});
const url = await server.listen({ port: 0, host: "127.0.0.1" });

afterAll(async () => {
  await Promise.all([server.close(), host.close(), close()]);
  await rm(folder, { recursive: true });
});

async function stored() {
  const tenantId = await makeTenant();
  const source = await makeSource(tenantId, "vapi");
  const callId = await makeCall(tenantId, source, "vapi", recordedAt(`${host.url}/rec.wav`));
  const result = await fetchRecording(deps, { tenantId, callId, attempt: 0 });
  if (result.kind !== "stored") throw new Error(JSON.stringify(result));
  const key = `key-of-${tenantId}`;
  tenants.set(key, tenantId);
  const { id: recordingId, sha256 } = result.recording;
  const at = `${url}/v1/recordings/${toPublicId("recording", recordingId)}/audio`;
  return { tenantId, callId, recordingId, key, at, etag: `"${sha256?.toString("hex")}"` };
}

const ask = (at: string, key: string | null, headers: Record<string, string> = {}, method = "GET") =>
  fetch(at, { method, headers: { ...(key !== null && { authorization: `Bearer ${key}` }), ...headers } });
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

test("200: the whole recording, as a download that a browser takes for nothing else", async () => {
  const { at, key, etag } = await stored();
  const answer = await ask(at, key);
  expect(answer.status).toBe(200);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    "content-type": "audio/wav",
    "content-length": String(wav.length),
    "accept-ranges": "bytes",
    "x-content-type-options": "nosniff",
    etag,
  });
  expect(answer.headers.get("content-disposition")).toMatch(/^attachment; filename="recording-[0-9a-f-]+\.wav"$/);
  expect((await bytesOf(answer)).equals(wav)).toBe(true);
});

test("206: a part, 416: a part that is not there, and the whole when it is no longer the same", async () => {
  const { at, key, etag } = await stored();
  for (const [range, from, to] of [
    ["bytes=0-43", 0, 43],
    ["bytes=65530-65560", 65_530, 65_560],
    ["bytes=208000-", 208_000, wav.length - 1],
    ["bytes=-10", wav.length - 10, wav.length - 1],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- Few.
    const part = await ask(at, key, { range, "if-range": etag });
    expect(part.status).toBe(206);
    expect(part.headers.get("content-range")).toBe(`bytes ${from}-${to}/${wav.length}`);
    // oxlint-disable-next-line no-await-in-loop -- Few.
    expect((await bytesOf(part)).equals(wav.subarray(from, to + 1))).toBe(true);
  }
  const behind = await ask(at, key, { range: `bytes=${wav.length}-` });
  expect([behind.status, behind.headers.get("content-range")]).toEqual([416, `bytes */${wav.length}`]);
  expect(await behind.json()).toMatchObject({ code: "range_not_satisfiable" });
  const changed = await ask(at, key, { range: "bytes=0-9", "if-range": '"another"' });
  expect([changed.status, (await bytesOf(changed)).length]).toEqual([200, wav.length]);
});

test("HEAD says how long it is and sends nothing; 304 for who has it already", async () => {
  const { at, key, etag } = await stored();
  const head = await ask(at, key, { range: "bytes=0-9" }, "HEAD");
  expect([head.status, head.headers.get("content-length"), (await bytesOf(head)).length]).toEqual([206, "10", 0]);
  const known = await ask(at, key, { "if-none-match": etag });
  expect([known.status, (await bytesOf(known)).length]).toEqual([304, 0]);
});

test("401 without a credential, 404 for another tenant's and for one that never was", async () => {
  const [mine, theirs] = [await stored(), await stored()];
  expect((await ask(mine.at, null)).status).toBe(401);
  expect((await ask(mine.at, theirs.key)).status).toBe(404);
  expect((await ask(`${url}/v1/recordings/rec_x/audio`, mine.key)).status).toBe(404);
});

test("403 for a key whose scopes leave recordings out; 429 when a key has asked too often, and its headers before that", async () => {
  const { at, key } = await stored();
  expect((await ask(at, `${key}-without-scopes`)).status).toBe(403);
  const first = await ask(at, key, { range: "bytes=0-3" });
  expect(first.headers.get("ratelimit")).toBe('"reads";r=18;t=6');
  // oxlint-disable-next-line no-await-in-loop -- One after the other.
  for (let i = 2; i < 20; i++) await ask(at, key, { range: "bytes=0-3" });
  const refused = await ask(at, key);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "3"]);
});

test("503 while the database or the store of recordings is away, 500 for a failure of ours", async () => {
  const { key } = await stored();
  const failing = createServer({ ...options, clock: deps.clock, ids: deps.ids });
  const errors = [new Unavailable("away"), new Error("a bug")];
  registerRecordingAudio(failing, {
    auth,
    links,
    find: () => Promise.reject(errors.shift() ?? new Error("once more")),
    open: () => Promise.resolve(null),
  });
  const place = `${await failing.listen({ port: 0, host: "127.0.0.1" })}/v1/recordings/${toPublicId("recording", randomUUID())}/audio`;
  expect([(await ask(place, key)).status, (await ask(place, key)).status]).toEqual([503, 500]);
  await failing.close();
});

test("a link plays without a credential until it expires, and only as it was made", async () => {
  const { tenantId, recordingId } = await stored();
  const token = links.sign({ tenantId, recordingId }, clock.now() + 60_000);
  const part = await ask(`${url}/recordings/${token}`, null, { range: "bytes=0-3" });
  expect([part.status, (await bytesOf(part)).toString()]).toEqual([206, "RIFF"]);
  const other = links.sign({ tenantId: (await stored()).tenantId, recordingId }, clock.now() + 60_000);
  const changed = `${token.startsWith("A") ? "B" : "A"}${token.slice(1)}`;
  for (const bad of [other, changed, `${token}A`, token.slice(0, -1), "x"]) {
    // oxlint-disable-next-line no-await-in-loop -- Few.
    expect((await ask(`${url}/recordings/${bad}`, null)).status).toBe(404);
  }
  await clock.advance(60_000);
  expect((await ask(`${url}/recordings/${token}`, null)).status).toBe(404);
});

test("404: an erased recording, also by a link that was made before", async () => {
  const { tenantId, callId, recordingId, at, key } = await stored();
  const token = links.sign({ tenantId, recordingId }, clock.now() + 60_000);
  await deps.db.inTransaction([tenantId], (tx) => forgetRecordings(tx, tenantId, [callId]));
  expect((await ask(at, key)).status).toBe(404);
  expect((await ask(`${url}/recordings/${token}`, null)).status).toBe(404);
});

test("ranges of another form, and several of them, are answered whole", () => {
  for (const range of [undefined, "", "bytes", "bytes=", "bytes=a-b", "items=0-1", "bytes=0-1,4-5", "bytes=5-4"])
    expect(rangeOf(range, 100)).toEqual({ kind: "whole" });
  expect(rangeOf("bytes=-0", 100)).toEqual({ kind: "none" });
  expect(rangeOf("bytes=0-", 0)).toEqual({ kind: "none" });
  expect(rangeOf("bytes=-500", 100)).toEqual({ kind: "part", from: 0, to: 99 });
  expect(rangeOf("bytes=99-500", 100)).toEqual({ kind: "part", from: 99, to: 99 });
});
