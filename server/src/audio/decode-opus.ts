import { createReadStream } from "node:fs";

import { OggOpusDecoder } from "ogg-opus-decoder";

import type { Block, Decoding } from "./decode.ts";
import { AudioRefused } from "./failure.ts";
import { audioLimits } from "./limits.ts";
import { int16From } from "./samples.ts";

/** Ogg Opus by libopus in WebAssembly, always at 48 kHz. @throws AudioRefused when nothing of it can be decoded. */
export async function decodeOpus(path: string): Promise<Decoding> {
  const blocks = blocksOf(path);
  const first = await blocks.next();
  if (first.done) throw new AudioRefused("recording_unreadable", "The Ogg file has no sound in it");
  const block = first.value;
  return {
    codec: "opus",
    mime: "audio/ogg",
    sampleRate: 48_000,
    channels: block.length,
    blocks: (async function* () {
      yield block;
      yield* blocks;
    })(),
  };
}

async function* blocksOf(path: string): AsyncGenerator<Block> {
  const decoder = new OggOpusDecoder({ forceStereo: false });
  await decoder.ready;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: audioLimits.readBytes / 16 })) {
      // Typed as if it answered at once; it gives a promise.
      // oxlint-disable-next-line typescript/await-thenable -- See above.
      const { channelData, samplesDecoded } = await decoder.decode(chunk as Buffer);
      if (samplesDecoded > 0) yield channelData.map(int16From);
    }
    const { channelData, samplesDecoded } = await decoder.flush();
    if (samplesDecoded > 0) yield channelData.map(int16From);
  } finally {
    decoder.free();
  }
}
