import { open } from "node:fs/promises";

import { decode } from "./decode.ts";
import { createResampler } from "./resample.ts";
import { monoHeader } from "./wav/header.ts";

/** One channel as a file that every speech-to-text engine takes: WAV, 16 bits, mono, at most 16 kHz. */
export type ChannelFile = {
  readonly channel: number;
  readonly path: string;
  readonly bytes: number;
  readonly sampleRateHz: number;
  readonly durationMs: number;
};

/** What speech-to-text engines work with inside; more only makes the upload longer. */
const rateMax = 16_000;

/** Writes each channel of a local file into a file of its own; `paths` by channel. @throws AudioRefused */
export async function splitChannels(
  path: string,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<ChannelFile[]> {
  const { blocks, sampleRate } = await decode(path, signal);
  const rate = Math.min(sampleRate, rateMax);
  await using out = await openAll(paths);
  const written = paths.map(() => 44);
  const resamplers = paths.map(() => createResampler(sampleRate, rate));
  for await (const block of blocks) {
    await Promise.all(
      out.files.map(async (file, channel) => {
        const samples = resamplers[channel]?.(block[channel] ?? none) ?? none;
        if (samples.length === 0) return;
        const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
        await file.write(bytes, 0, bytes.length, written[channel] ?? 44);
        written[channel] = (written[channel] ?? 44) + bytes.length;
      }),
    );
  }
  return Promise.all(
    out.files.map(async (file, channel) => {
      const bytes = written[channel] ?? 44;
      await file.write(monoHeader(rate, bytes - 44), 0, 44, 0);
      const durationMs = Math.round(((bytes - 44) / 2 / rate) * 1000);
      return { channel, path: paths[channel] ?? "", bytes, sampleRateHz: rate, durationMs };
    }),
  );
}

const none = new Int16Array(0);

async function openAll(paths: readonly string[]) {
  const files = await Promise.all(paths.map((path) => open(path, "w", 0o600)));
  return {
    files,
    async [Symbol.asyncDispose]() {
      await Promise.all(files.map((file) => file.close()));
    },
  };
}
