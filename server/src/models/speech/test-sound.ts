import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { splitChannels as split } from "#/audio/split.ts";

import type { AudioFile, SpeechInterval, SplitChannels } from "./answer.ts";

/** A recording of a length with a tone in each channel where it is said to have speech. Its folder is removed by `remove`. */
export async function makeRecording(
  durationMs: number,
  speech: readonly (readonly SpeechInterval[])[],
): Promise<{ readonly audio: AudioFile; readonly folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), "aftercall-speech-"));
  const file = path.join(folder, "recording.wav");
  const bytes = wav(durationMs, speech);
  await writeFile(file, bytes);
  const audio = { path: file, mime: "audio/wav", bytes: bytes.length, channels: speech.length, durationMs, speech };
  return { audio, folder, remove: () => rm(folder, { recursive: true }) };
}

/** The product's own splitting, in this thread. */
export const splitChannels: SplitChannels = async (audio, signal) => {
  const folder = await mkdtemp(path.join(tmpdir(), "aftercall-split-"));
  const paths = Array.from({ length: audio.channels }, (_, i) => path.join(folder, `${i}.wav`));
  const files = await split(audio.path, paths, signal);
  return { files, remove: () => rm(folder, { recursive: true }) };
};

const rate = 8_000;

function wav(durationMs: number, speech: readonly (readonly SpeechInterval[])[]): Buffer {
  const frames = (durationMs * rate) / 1000;
  const channels = speech.length;
  const data = Buffer.alloc(frames * channels * 2);
  for (const [channel, intervals] of speech.entries()) {
    for (const [from, to] of intervals) {
      for (let frame = (from * rate) / 1000; frame < (to * rate) / 1000; frame++) {
        data.writeInt16LE(Math.round(8_000 * Math.sin(frame / 3)), (frame * channels + channel) * 2);
      }
    }
  }
  const header = Buffer.alloc(44);
  header.write("RIFF");
  header.writeUInt32LE(36 + data.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * channels * 2, 28);
  header.writeUInt16LE(channels * 2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}
