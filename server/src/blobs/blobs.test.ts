import { createHash, createHmac } from "node:crypto";
import { mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";

import S3rver from "s3rver";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { systemClock as clock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";
import { createGuardedHttp, type HttpRequest } from "#/kernel/net/http.ts";

import { createRandom } from "../../test/harness/random.ts";
import { type Blobs, BlobMissing, BlobsUnavailable } from "./blobs.ts";
import { openEncrypted, putEncrypted } from "./encrypted.ts";
import { createFolderBlobs } from "./folder.ts";
import { createS3Blobs, type S3Options } from "./s3.ts";
import { BlobRefused, createSpool, type Spool } from "./spool.ts";

const limits = { bytesMax: 2_000_000, timeMsMax: 10_000 };
const random = createRandom(7);
const http = createGuardedHttp({ privateTargets: ["127.0.0.0/8"], allowHttp: true, clock });
const folder = await mkdtemp(path.join(tmpdir(), "blobs-"));
const spool = await createSpool({ dir: path.join(folder, "spool"), clock, ids: createIds(clock) });
const s3 = new S3rver({
  port: 0,
  address: "127.0.0.1",
  silent: true,
  directory: path.join(folder, "s3"),
  vhostBuckets: false,
  configureBuckets: [{ name: "calls", configs: [] }],
});
const s3Port = (await s3.run()).port;

function overS3(other: Partial<S3Options> = {}): Blobs {
  const endpoint = `http://127.0.0.1:${s3Port}/`;
  const access = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
  const where = { endpoint, bucket: "calls", region: "us-east-1" };
  return createS3Blobs({ ...where, ...access, http, privateTargets: [], spool, clock, ...other });
}

const stores: readonly (readonly [string, (using: Spool) => Blobs])[] = [
  ["a folder", (using) => createFolderBlobs({ dir: path.join(folder, "blobs"), spool: using })],
  ["S3", () => overS3()],
];

beforeAll(() => random(1));
afterAll(async () => {
  await http.close();
  await s3.close();
  await rm(folder, { recursive: true });
});

describe.each(stores)("%s", (_name, create) => {
  const blobs = create(spool);

  test("gives back what was put, under the sha256 of it, whole and in ranges", async () => {
    const content = random(300_000);
    const stored = await blobs.put(inChunks(content, 70_000), limits);
    expect(stored).toEqual({ key: sha256(content), sha256: Buffer.from(sha256(content), "hex"), bytes: 300_000 });

    const whole = await blobs.open(stored.key);
    expect(whole).toMatchObject({ bytes: 300_000, size: 300_000 });
    expect(sha256(await read(whole.stream))).toBe(sha256(content));
    const part = await blobs.open(stored.key, { from: 99_990, to: 100_009 });
    expect(part).toMatchObject({ bytes: 20, size: 300_000 });
    expect((await read(part.stream)).equals(content.subarray(99_990, 100_010))).toBe(true);
    const end = await blobs.open(stored.key, { from: 299_999, to: 400_000 });
    expect(end).toMatchObject({ bytes: 1, size: 300_000 });
    expect(await read(end.stream)).toHaveLength(1);
  });

  test("forgets what was removed, and removing twice is no error", async () => {
    const { key } = await blobs.put(inChunks(random(100), 100), limits);
    await blobs.remove(key);
    await blobs.remove(key);
    await expect(blobs.open(key)).rejects.toThrow(BlobMissing);
  });

  test("takes no name but the hash of something", async () => {
    for (const key of ["../../etc/passwd", "", "AB".repeat(32), `${"a".repeat(64)}/x`])
      // oxlint-disable-next-line no-await-in-loop -- One after the other is enough.
      await expect(blobs.open(key)).rejects.toThrow(BlobMissing);
  });

  test("keeps nothing of what is too large, and does not read it to its end", async () => {
    let given = 0;
    const endless = async function* () {
      for (; ; given += 65_536) yield Buffer.alloc(65_536);
    };
    const refused = await blobs.put(endless(), limits).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(BlobRefused);
    expect(refused).toMatchObject({ limit: "too_large" });
    expect(given).toBeLessThan(3_000_000);
    expect(await readdir(spool.dir)).toEqual([]);
  });

  test("waits no longer than it may for a source that says nothing", async () => {
    const silent = async function* () {
      yield Buffer.alloc(10);
      await new Promise(() => {});
    };
    await expect(blobs.put(silent(), { ...limits, timeMsMax: 50 })).rejects.toMatchObject({ limit: "too_slow" });
    const stop = AbortSignal.abort();
    await expect(blobs.put(silent(), { ...limits, signal: stop })).rejects.toMatchObject({ limit: "aborted" });
    expect(await readdir(spool.dir)).toEqual([]);
  });

  test("passes on the failure of a source that breaks", async () => {
    const broken = async function* () {
      yield Buffer.alloc(10);
      throw new Error("cut");
    };
    await expect(blobs.put(broken(), limits)).rejects.toThrow("cut");
    expect(await readdir(spool.dir)).toEqual([]);
  });

  test("stops before the disk is full", async () => {
    const ids = createIds(clock);
    const careful = await createSpool({ dir: path.join(folder, "careful"), clock, ids, freeBytesMin: 2 ** 60 });
    const store = createFolderBlobs({ dir: path.join(folder, "blobs"), spool: careful });
    await expect(store.put(inChunks(random(10), 10), limits)).rejects.toMatchObject({ limit: "disk_full" });
  });

  test.each([0, 1, 65_535, 65_536, 65_537, 200_000])("encrypted: %i bytes come back, in ranges too", async (size) => {
    const content = random(size);
    const dataKey = random(32);
    const stored = await putEncrypted(blobs, inChunks(content, 50_000), { dataKey, random }, limits);
    expect(stored).toMatchObject({ bytes: size, sha256: Buffer.from(sha256(content), "hex") });
    expect(stored.key).not.toBe(sha256(content));

    const whole = await openEncrypted(blobs, stored.key, dataKey);
    expect(whole).toMatchObject({ bytes: size, size });
    expect((await read(whole.stream)).equals(content)).toBe(true);
    for (const [from, to] of [
      [0, 0],
      [size - 1, size + 10],
      [65_530, 65_540],
      [1, 199_998],
    ] as const) {
      if (from < 0 || from >= size) continue;
      // oxlint-disable-next-line no-await-in-loop -- Few.
      const part = await openEncrypted(blobs, stored.key, dataKey, { from, to });
      // oxlint-disable-next-line no-await-in-loop -- Few.
      expect((await read(part.stream)).equals(content.subarray(from, to + 1))).toBe(true);
    }
  });

  test("encrypted: another key opens nothing, and a cut or changed blob fails", async () => {
    const dataKey = random(32);
    const { key } = await putEncrypted(blobs, inChunks(random(150_000), 50_000), { dataKey, random }, limits);
    await expect(openEncrypted(blobs, key, random(32)).then(({ stream }) => read(stream))).rejects.toThrow(
      "unable to authenticate data",
    );

    const sealed = await read((await blobs.open(key)).stream);
    const cut = await blobs.put(inChunks(sealed.subarray(0, 20 + 65_552), 50_000), limits);
    await expect(openEncrypted(blobs, cut.key, dataKey).then(({ stream }) => read(stream))).rejects.toThrow(
      "unable to authenticate data",
    );
    sealed[70_000] = (sealed[70_000] ?? 0) ^ 1;
    const changed = await blobs.put(inChunks(sealed, 50_000), limits);
    await expect(openEncrypted(blobs, changed.key, dataKey).then(({ stream }) => read(stream))).rejects.toThrow(
      "unable to authenticate data",
    );
  });
});

test("S3: a wrong key or bucket is named", async () => {
  await expect(overS3({ accessKeyId: "nobody" }).put(inChunks(random(10), 10), limits)).rejects.toThrow(
    new BlobsUnavailable("The object store answered 403 to a PUT (InvalidAccessKeyId)"),
  );
  await expect(overS3({ bucket: "other" }).put(inChunks(random(10), 10), limits)).rejects.toThrow(
    new BlobsUnavailable("The object store answered 404 to a PUT (NoSuchBucket)"),
  );
});

// s3rver believes any Signature Version 4 of a known key, so the signature is computed here a second time.
test("S3: requests are signed as Signature Version 4 says, their content with them", async () => {
  const seen: HttpRequest[] = [];
  const spying = { ...http, request: (input: HttpRequest) => (seen.push(input), http.request(input)) };
  const { key } = await overS3({ http: spying }).put(inChunks(random(10), 10), limits);
  const [put] = seen;
  const { authorization = "", "x-amz-date": date = "" } = put?.headers ?? {};
  const scope = `${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const { host, pathname } = new URL(put?.url ?? "");
  const signed = "host;x-amz-content-sha256;x-amz-date";
  const canonical = `PUT\n${pathname}\n\nhost:${host}\nx-amz-content-sha256:${key}\nx-amz-date:${date}\n\n${signed}\n${key}`;
  const hmac = (secret: string | Buffer, text: string) => createHmac("sha256", secret).update(text).digest();
  const signingKey = [...scope.split("/")].reduce<string | Buffer>((secret, part) => hmac(secret, part), "AWS4S3RVER");
  const signature = hmac(signingKey, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(Buffer.from(canonical))}`);
  expect(authorization).toBe(
    `AWS4-HMAC-SHA256 Credential=S3RVER/${scope}, SignedHeaders=${signed}, Signature=${signature.toString("hex")}`,
  );
});

test("what a dead process left in the spool is swept away, what is being worked at is not", async () => {
  const dir = path.join(folder, "left");
  const left = await createSpool({ dir, clock, ids: createIds(clock) });
  const [old, young] = [
    await left.write(inChunks(random(10), 10), limits),
    await left.write(inChunks(random(10), 10), limits),
  ];
  const yesterday = clock.now() / 1000 - 86_400;
  await utimes(old.path, yesterday, yesterday);
  await left.sweep();
  expect(await readdir(dir)).toEqual([path.basename(young.path)]);
});

function inChunks(content: Buffer, size: number): Readable {
  const chunks: Buffer[] = [];
  for (let at = 0; at < content.length; at += size) chunks.push(content.subarray(at, at + size));
  return Readable.from(chunks);
}

async function read(stream: Readable): Promise<Buffer> {
  return Buffer.concat(await stream.toArray());
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
