import { decodeByFfmpeg } from "./decode-ffmpeg.ts";
import { AudioRefused, tooLong } from "./failure.ts";
import { headOf } from "./head.ts";
import { audioLimits } from "./limits.ts";
import { sniff } from "./sniff.ts";
import { decodeWav } from "./wav/decode.ts";

/** Sound as it is decoded: 16-bit samples, one list per channel, all of the same length. Valid until the next block. */
export type Block = readonly Int16Array[];

/** Blocks with what is known before the first of them. */
export type Decoding = {
  readonly codec: string;
  readonly mime: string;
  readonly sampleRate: number;
  readonly channels: number;
  readonly blocks: AsyncIterable<Block>;
};

/**
 * Decodes a local file in bounded memory, whatever its length: WAV, MP3 and Ogg Opus here, anything else by ffmpeg where that is
 * installed. A file that names other files is refused by its first bytes.
 * @throws AudioRefused, also while blocks are read.
 */
export async function decode(path: string, signal?: AbortSignal): Promise<Decoding> {
  const container = sniff(await headOf(path));
  const decoding = await decodingOf(path, container, signal);
  if (decoding.channels < 1 || decoding.channels > audioLimits.channelsMax) {
    throw new AudioRefused("recording_unreadable", `A recording with ${decoding.channels} channels is not worked with`);
  }
  return { ...decoding, blocks: bounded(decoding, signal) };
}

async function decodingOf(path: string, container: ReturnType<typeof sniff>, signal?: AbortSignal): Promise<Decoding> {
  if (container === "wav") {
    const wav = await decodeWav(path);
    if (wav) return wav;
  }
  // Loaded when needed: most recordings are WAV, and a decoder in WebAssembly takes a tenth of a second to load.
  if (container === "mp3") return (await import("./decode-mp3.ts")).decodeMp3(path);
  if (container === "ogg_opus") return (await import("./decode-opus.ts")).decodeOpus(path);
  return decodeByFfmpeg(path, container, signal);
}

/** Lengths that headers state are claims; what counts is what comes out. */
async function* bounded({ blocks, sampleRate }: Decoding, signal?: AbortSignal): AsyncGenerator<Block> {
  const samplesMax = (audioLimits.durationMsMax / 1000) * sampleRate;
  let samples = 0;
  for await (const block of blocks) {
    signal?.throwIfAborted();
    samples += block[0]?.length ?? 0;
    if (samples > samplesMax) throw tooLong();
    yield block;
  }
}
