import { createCipheriv, createDecipheriv, createHash, hkdfSync } from "node:crypto";
import { Readable } from "node:stream";

import type { Random } from "#/kernel/random.ts";

import type { Blobs, ByteRange, OpenBlob, StoredBlob } from "./blobs.ts";
import { type BlobLimits, BlobRefused, type ByteSource } from "./spool.ts";

// Layout: "ACB1", 16 random bytes, then chunks of 65,536 bytes in AES-256-GCM, each with its tag of 16 bytes; the last chunk is
// shorter, and may be empty. The key of a blob is made from the data key and the random bytes (HKDF, RFC 5869), so a nonce is
// never used twice: it is the number of the chunk, and whether it is the last (STREAM, eprint 2015/189). A chunk moved, cut off
// or changed does not open; each opens alone, so that a player can seek.

const magic = Buffer.from("ACB1");
const headBytes = 20;
const chunkBytes = 65_536;
const tagBytes = 16;

/** Stores bytes so that only the data key reads them: without the key they are gone. Hash and length are of the plain bytes. */
export async function putEncrypted(
  blobs: Blobs,
  source: ByteSource,
  { dataKey, random }: { dataKey: Buffer; random: Random },
  limits: BlobLimits,
): Promise<StoredBlob> {
  const hash = createHash("sha256");
  let bytes = 0;
  const counted = async function* () {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > limits.bytesMax) throw new BlobRefused("too_large", `More than ${limits.bytesMax} bytes`);
      hash.update(chunk);
      yield chunk;
    }
  };
  const room = Math.ceil(limits.bytesMax / chunkBytes + 1) * tagBytes + headBytes;
  const { key } = await blobs.put(encrypt(counted(), dataKey, random), {
    ...limits,
    bytesMax: limits.bytesMax + room,
  });
  return { key, sha256: hash.digest(), bytes };
}

/** Opens plain bytes from one to another, both included; `size` is of the whole. @throws BlobMissing, BlobsUnavailable */
export async function openEncrypted(blobs: Blobs, key: string, dataKey: Buffer, range?: ByteRange): Promise<OpenBlob> {
  const head = await blobs.open(key, { from: 0, to: headBytes - 1 });
  const salt = saltIn(Buffer.concat(await head.stream.toArray()));
  const blobKey = keyOf(dataKey, salt);
  const chunks = Math.ceil((head.size - headBytes) / (chunkBytes + tagBytes));
  const size = head.size - headBytes - chunks * tagBytes;
  const from = range?.from ?? 0;
  const to = Math.min(range?.to ?? size - 1, size - 1);
  if (from > to) return { stream: Readable.from([]), bytes: 0, size };
  const first = Math.floor(from / chunkBytes);
  const last = Math.floor(to / chunkBytes);
  const sealed = await blobs.open(key, {
    from: headBytes + first * (chunkBytes + tagBytes),
    to: Math.min(headBytes + (last + 1) * (chunkBytes + tagBytes), head.size) - 1,
  });
  const plain = async function* () {
    let at = first;
    for await (const box of inPieces(sealed.stream, chunkBytes + tagBytes)) {
      const chunk = decryptChunk(blobKey, box, at, at === chunks - 1);
      const start = at * chunkBytes;
      yield chunk.subarray(Math.max(from - start, 0), to + 1 - start);
      at++;
    }
    if (at !== last + 1) throw new Error("The stored bytes end too early");
  };
  return { stream: Readable.from(plain(), { objectMode: false }), bytes: to - from + 1, size };
}

async function* encrypt(source: ByteSource, dataKey: Buffer, random: Random): AsyncGenerator<Buffer> {
  const salt = random(headBytes - magic.length);
  const key = keyOf(dataKey, salt);
  yield Buffer.concat([magic, salt]);
  let at = 0;
  let held: Buffer | null = null;
  for await (const chunk of inPieces(source, chunkBytes)) {
    if (held) yield encryptChunk(key, held, at++, false);
    held = chunk;
  }
  yield encryptChunk(key, held ?? Buffer.alloc(0), at, true);
}

function encryptChunk(key: Buffer, chunk: Buffer, at: number, isLast: boolean): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonceOf(at, isLast));
  return Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
}

function decryptChunk(key: Buffer, box: Buffer, at: number, isLast: boolean): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, nonceOf(at, isLast), { authTagLength: tagBytes });
  decipher.setAuthTag(box.subarray(-tagBytes));
  return Buffer.concat([decipher.update(box.subarray(0, -tagBytes)), decipher.final()]);
}

function nonceOf(at: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(at, 4);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

function keyOf(dataKey: Buffer, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", dataKey, salt, "aftercall blob", 32));
}

function saltIn(head: Buffer): Buffer {
  if (head.length < headBytes || !head.subarray(0, magic.length).equals(magic)) {
    throw new Error("The stored bytes are not an encrypted blob of ours");
  }
  return head.subarray(magic.length, headBytes);
}

/** Pieces of exactly `size` bytes, whatever the chunks; the last one may be shorter. */
async function* inPieces(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes < size) continue;
    const whole = Buffer.concat(parts);
    let start = 0;
    for (; start + size <= bytes; start += size) yield whole.subarray(start, start + size);
    parts = start < bytes ? [whole.subarray(start)] : [];
    bytes -= start;
  }
  if (bytes > 0) yield Buffer.concat(parts);
}
