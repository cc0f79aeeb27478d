import type { Readable } from "node:stream";

import type { Block, Decoding } from "./decode.ts";
import { AudioRefused, tooLong } from "./failure.ts";
import { runFfmpeg } from "./ffmpeg.ts";
import { headOf } from "./head.ts";
import { audioLimits } from "./limits.ts";
import { type Container, mimeOf } from "./sniff.ts";

/**
 * Everything that is not decoded here itself: FLAC, M4A, WebM, … ffmpeg writes a WAV file into a pipe, whose header says rate and
 * channels; no sample touches the disk.
 * @throws AudioRefused
 */
export async function decodeByFfmpeg(path: string, container: Container, signal?: AbortSignal): Promise<Decoding> {
  if (container === "flac") refuseLong(await headOf(path));
  const args = ["-map", "0:a:0", "-c:a", "pcm_s16le", "-bitexact", "-f", "wav", "pipe:1"];
  const run = await runFfmpeg({ input: path, container, args }, signal);
  const reader = readerOf(run.stdout);
  try {
    const header = await reader.take(headerBytes);
    if (!header || header.toString("latin1", 36, 40) !== "data") {
      await run.done();
      throw new AudioRefused("recording_unreadable", "There is no sound in the file");
    }
    const channels = header.readUInt16LE(22);
    return {
      codec: container === "mp4" ? "aac" : container,
      mime: mimeOf(container),
      sampleRate: header.readUInt32LE(24),
      channels,
      blocks: (async function* () {
        try {
          for (;;) {
            const bytes = await reader.takeUpTo(audioLimits.readBytes, channels * 2);
            if (bytes.length === 0) break;
            yield planesOf(bytes, channels);
          }
          await run.done();
        } finally {
          run.stop();
        }
      })(),
    };
  } catch (error) {
    run.stop();
    throw error;
  }
}

/** FLAC says its length in its first block (RFC 9639 §8.2): one that says too much is not even begun. */
function refuseLong(head: Buffer): void {
  if (head.length < 26) return;
  const sampleRate = head.readUIntBE(18, 3) >> 4;
  const samples = (head.readUInt8(21) & 0x0f) * 2 ** 32 + head.readUInt32BE(22);
  if (samples > (audioLimits.durationMsMax / 1000) * sampleRate) throw tooLong();
}

/** What ffmpeg writes with `-bitexact`: RIFF, a format chunk of 16 bytes, data. */
const headerBytes = 44;

function planesOf(bytes: Buffer, channels: number): Block {
  const frames = bytes.length / (channels * 2);
  return Array.from({ length: channels }, (_, channel) => {
    const samples = new Int16Array(frames);
    for (let i = 0, at = channel * 2; i < frames; i++, at += channels * 2) samples[i] = bytes.readInt16LE(at);
    return samples;
  });
}

function readerOf(stream: Readable) {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let held: Buffer = Buffer.alloc(0);
  let isOver = false;

  async function fill(bytes: number): Promise<void> {
    while (held.length < bytes && !isOver) {
      // oxlint-disable-next-line no-await-in-loop -- A stream is read in its order.
      const next = await chunks.next();
      if (next.done) isOver = true;
      else held = held.length === 0 ? next.value : Buffer.concat([held, next.value]);
    }
  }

  return {
    /** Exactly so many bytes, or null when there are fewer. */
    async take(bytes: number): Promise<Buffer | null> {
      await fill(bytes);
      if (held.length < bytes) return null;
      const taken = held.subarray(0, bytes);
      held = held.subarray(bytes);
      return taken;
    },
    /** Whole units of so many bytes; nothing at the end. */
    async takeUpTo(bytesMax: number, unit: number): Promise<Buffer> {
      await fill(unit);
      const length = Math.min(held.length, bytesMax);
      const taken = held.subarray(0, length - (length % unit));
      held = held.subarray(taken.length);
      return taken;
    },
  };
}
