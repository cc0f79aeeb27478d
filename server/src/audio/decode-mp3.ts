import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";

import { MPEGDecoder } from "mpg123-decoder";

import type { Block, Decoding } from "./decode.ts";
import { AudioRefused } from "./failure.ts";
import { audioLimits } from "./limits.ts";
import { int16From } from "./samples.ts";
import { isMpegFrame } from "./sniff.ts";

/** MP3 by mpg123 in WebAssembly. @throws AudioRefused when no frame of it can be decoded. */
export async function decodeMp3(path: string): Promise<Decoding> {
  const channels = await channelsIn(path);
  const blocks = blocksOf(path, channels);
  const first = await blocks.next();
  if (first.done) throw new AudioRefused("recording_unreadable", "The MP3 file has no sound in it");
  const { sampleRate, block } = first.value;
  return {
    codec: "mp3",
    mime: "audio/mpeg",
    sampleRate,
    channels,
    blocks: (async function* () {
      yield block;
      for await (const next of blocks) {
        if (next.sampleRate !== sampleRate) {
          throw new AudioRefused("recording_unreadable", "The MP3 file changes its sampling rate on the way");
        }
        yield next.block;
      }
    })(),
  };
}

async function* blocksOf(path: string, channels: number): AsyncGenerator<{ sampleRate: number; block: Block }> {
  const decoder = new MPEGDecoder({ enableGapless: true });
  await decoder.ready;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: audioLimits.readBytes / 4 })) {
      const { channelData, samplesDecoded, sampleRate } = decoder.decode(chunk as Buffer);
      if (samplesDecoded > 0) yield { sampleRate, block: channelData.slice(0, channels).map(int16From) };
    }
  } finally {
    decoder.free();
  }
}

/** The decoder gives two channels also for one, so the first frame is asked: mode 3 is one channel (ISO 11172-3 §2.4.2.3). */
async function channelsIn(path: string): Promise<number> {
  await using file = await open(path);
  const read = async (at: number) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(scanBytes), 0, scanBytes, at);
    return buffer.subarray(0, bytesRead);
  };
  const start = tagBytes(await read(0));
  const bytes = await read(start);
  for (let at = 0; at + 4 <= bytes.length; at++) {
    if (isMpegFrame(bytes.subarray(at, at + 4))) return (bytes[at + 3] ?? 0) >> 6 === 3 ? 1 : 2;
  }
  throw new AudioRefused("recording_unreadable", "The MP3 file has no sound in it");
}

const scanBytes = 16_384;

/** Length of an ID3v2 tag: four bytes of seven bits, and ten for its header. */
function tagBytes(head: Buffer): number {
  if (head.toString("latin1", 0, 3) !== "ID3" || head.length < 10) return 0;
  return 10 + [6, 7, 8, 9].reduce((size, at) => size * 128 + ((head[at] ?? 0) & 0x7f), 0);
}
