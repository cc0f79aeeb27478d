import { open, type FileHandle } from "node:fs/promises";

import type { Block, Decoding } from "../decode.ts";
import { toInt16 } from "../samples.ts";
import { aLawTable, muLawTable } from "./g711.ts";
import { readWavHeader, type WavEncoding, type WavHeader } from "./header.ts";

/** Null when the encoding is not one of ours. @throws AudioRefused when the file is broken. */
export async function decodeWav(path: string): Promise<Decoding | null> {
  await using file = await open(path);
  const header = await readWavHeader(file);
  if (!header) return null;
  const { encoding, sampleRate, channels } = header;
  return { codec: encoding, mime: "audio/wav", sampleRate, channels, blocks: blocksOf(path, header) };
}

/** About a second of telephone sound at a time. */
const framesPerBlock = 8_192;

async function* blocksOf(path: string, header: WavHeader): AsyncGenerator<Block> {
  await using file = await open(path);
  const { channels, bytesPerSample, dataStart, dataBytes } = header;
  const frameBytes = channels * bytesPerSample;
  const bytes = Buffer.alloc(framesPerBlock * frameBytes);
  const block = Array.from({ length: channels }, () => new Int16Array(framesPerBlock));
  const spread = spreadOf(header.encoding);
  for (let done = 0; done < dataBytes;) {
    // oxlint-disable-next-line no-await-in-loop -- One block in memory is the point.
    const read = await readFully(file, bytes, Math.min(bytes.length, dataBytes - done), dataStart + done);
    if (read < frameBytes) return;
    const frames = Math.floor(read / frameBytes);
    for (let channel = 0; channel < channels; channel++) {
      const into = block[channel];
      if (into) spread(bytes, into, frames, channels, channel);
    }
    yield frames === framesPerBlock ? block : block.map((samples) => samples.subarray(0, frames));
    done += frames * frameBytes;
  }
}

async function readFully(file: FileHandle, into: Buffer, length: number, position: number): Promise<number> {
  let done = 0;
  while (done < length) {
    // oxlint-disable-next-line no-await-in-loop -- The rest of the same block.
    const { bytesRead } = await file.read(into, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Takes one channel out of interleaved frames. */
type Spread = (bytes: Buffer, into: Int16Array, frames: number, channels: number, channel: number) => void;

function spreadOf(encoding: WavEncoding): Spread {
  switch (encoding) {
    case "pcm_mulaw":
      return byTable(muLawTable());
    case "pcm_alaw":
      return byTable(aLawTable());
    case "pcm_u8":
      return byTable(Int16Array.from({ length: 256 }, (_, byte) => (byte - 128) << 8));
    case "pcm_s16le":
      return bySample(2, (view, at) => view.getInt16(at, true));
    case "pcm_s24le":
      return bySample(3, (view, at) => view.getInt16(at + 1, true));
    case "pcm_s32le":
      return bySample(4, (view, at) => view.getInt16(at + 2, true));
    case "pcm_f32le":
      return bySample(4, (view, at) => toInt16(view.getFloat32(at, true)));
    case "pcm_f64le":
      return bySample(8, (view, at) => toInt16(view.getFloat64(at, true)));
  }
}

function byTable(table: Int16Array): Spread {
  return (bytes, into, frames, channels, channel) => {
    for (let i = 0, at = channel; i < frames; i++, at += channels) into[i] = table[bytes[at] ?? 0] ?? 0;
  };
}

function bySample(size: number, read: (view: DataView, at: number) => number): Spread {
  return (bytes, into, frames, channels, channel) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0, at = channel * size; i < frames; i++, at += channels * size) into[i] = read(view, at);
  };
}
