import { copyFile, open } from "node:fs/promises";

import { AudioRefused } from "./failure.ts";
import { runFfmpeg } from "./ffmpeg.ts";
import { headOf } from "./head.ts";
import type { Interval } from "./listen.ts";
import { type Container, sniff } from "./sniff.ts";
import { readWavHeader, type WavEncoding } from "./wav/header.ts";

/**
 * Copies a local file with silence in the windows; the length stays the same, so that every other time in the call stays true.
 * WAV is changed in place of its samples; anything else is decoded and encoded again by ffmpeg.
 * @throws AudioRefused
 */
export async function muteWindows(
  input: string,
  output: string,
  windows: readonly Interval[],
  signal?: AbortSignal,
): Promise<void> {
  const container = sniff(await headOf(input));
  if (container === "wav" && (await muteWav(input, output, windows))) return;
  const encoder = encoders[container];
  if (!encoder) throw new AudioRefused("recording_unreadable", "Recordings of this kind cannot be written");
  const between = windows.map(([start, end]) => `between(t,${start / 1000},${end / 1000})`).join("+");
  const filter = windows.length === 0 ? "anull" : `volume=0:enable='${between}'`;
  const args = ["-map", "0:a:0", "-filter:a", filter, ...encoder, "-y", `file:${output}`];
  const run = await runFfmpeg({ input, container, args }, signal);
  run.stdout.resume();
  await run.done();
}

const encoders: Readonly<Partial<Record<Container, readonly string[]>>> = {
  wav: ["-c:a", "pcm_s16le", "-f", "wav"],
  mp3: ["-c:a", "libmp3lame", "-q:a", "3", "-f", "mp3"],
  ogg_opus: ["-c:a", "libopus", "-b:a", "48k", "-f", "ogg"],
  ogg: ["-c:a", "libopus", "-b:a", "48k", "-f", "ogg"],
  flac: ["-c:a", "flac", "-f", "flac"],
  mp4: ["-c:a", "aac", "-f", "ipod"],
  aac: ["-c:a", "aac", "-f", "adts"],
  webm: ["-c:a", "libopus", "-b:a", "48k", "-f", "webm"],
};

/** False when the samples are in an encoding that is not ours. */
async function muteWav(input: string, output: string, windows: readonly Interval[]): Promise<boolean> {
  await using source = await open(input);
  const header = await readWavHeader(source);
  if (!header) return false;
  const { channels, bytesPerSample, sampleRate, dataStart, dataBytes, encoding } = header;
  const frameBytes = channels * bytesPerSample;
  await copyFile(input, output);
  await using file = await open(output, "r+");
  const silence = Buffer.alloc(frameBytes * 8_192, silentByte(encoding));
  for (const [startMs, endMs] of windows) {
    const from = Math.min(Math.max(Math.floor((startMs / 1000) * sampleRate), 0) * frameBytes, dataBytes);
    const to = Math.min(Math.ceil((endMs / 1000) * sampleRate) * frameBytes, dataBytes);
    for (let at = from; at < to; at += silence.length) {
      // oxlint-disable-next-line no-await-in-loop -- One piece of silence for all.
      await file.write(silence, 0, Math.min(silence.length, to - at), dataStart + at);
    }
  }
  await file.sync();
  return true;
}

/** Zero in each encoding: the laws invert bits, and 8-bit samples have no sign. */
function silentByte(encoding: WavEncoding): number {
  if (encoding === "pcm_mulaw") return 0xff;
  if (encoding === "pcm_alaw") return 0xd5;
  return encoding === "pcm_u8" ? 0x80 : 0;
}
