import { spawnSync } from "node:child_process";

import { createMp3Encoder } from "wasm-media-encoders";

import type { SpokenCall } from "./calls.ts";
import { sampleRate } from "./utterances.ts";

/** Who is on which channel of a stereo recording here: as Twilio records, the other party on the left. */
export const channelMap = ["customer", "agent"] as const;

/** Each side on a channel of its own. */
export function stereo({ sides }: SpokenCall): Int16Array[] {
  return channelMap.map((role) => sides[role]);
}

/** Both sides on one channel. */
export function mono({ sides: { agent, customer } }: SpokenCall): Int16Array[] {
  return [agent.map((sample, i) => Math.max(-32_768, Math.min(32_767, sample + (customer[i] ?? 0))))];
}

export const recordedForms = ["PCM WAV", "µ-law WAV", "a-law WAV", "MP3"] as const;

/** A recording as telephone systems keep it, made of one or two channels. */
export async function recordingFile(form: (typeof recordedForms)[number], channels: readonly Int16Array[]) {
  switch (form) {
    case "PCM WAV":
      return wavOf(1, 16, channels, (sample, out, at) => out.writeInt16LE(sample, at));
    case "µ-law WAV":
      return muLawWav(channels);
    case "a-law WAV":
      return wavOf(6, 8, channels, (sample, out, at) => out.writeUInt8(aLawByte(sample), at));
    case "MP3":
      return mp3Of(channels);
  }
}

export function muLawWav(channels: readonly Int16Array[]): Buffer {
  return wavOf(7, 8, channels, (sample, out, at) => out.writeUInt8(muLawByte(sample), at));
}

/** Constant rate, as call recorders write it; begins with the encoder's own delay, like theirs. */
export async function mp3Of(channels: readonly Int16Array[]): Promise<Buffer> {
  const encoder = await createMp3Encoder();
  const bitrate = channels.length === 2 ? 32 : 16;
  encoder.configure({ sampleRate, outputSampleRate: sampleRate, channels: channels.length === 2 ? 2 : 1, bitrate });
  const floats = channels.map((samples) => Float32Array.from(samples, (sample) => sample / 32_768));
  // What it gives is a view of its memory, good until it is asked again.
  const encoded = Buffer.from(encoder.encode(floats));
  return Buffer.concat([encoded, encoder.finalize()]);
}

/** What only ffmpeg decodes is tested where it is installed, and made there. */
export const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;

/** A WAV file in another form. */
export function byFfmpeg(wav: Buffer, args: readonly string[]): Buffer {
  const made = spawnSync("ffmpeg", ["-loglevel", "error", "-i", "pipe:0", ...args, "pipe:1"], { input: wav });
  if (made.status !== 0) throw new Error(made.stderr.toString());
  return made.stdout;
}

/** A WAV file: header and interleaved samples as given. */
export function wavFile(format: number, bits: number, channels: number, rate: number, data: Buffer): Buffer {
  const header = Buffer.alloc(44);
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(36 + data.length, 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(format, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE((rate * channels * bits) / 8, 28);
  header.writeUInt16LE((channels * bits) / 8, 32);
  header.writeUInt16LE(bits, 34);
  header.write("data", 36, "latin1");
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}

type Write = (sample: number, out: Buffer, at: number) => void;

function wavOf(format: number, bits: number, channels: readonly Int16Array[], write: Write): Buffer {
  const width = bits / 8;
  const data = Buffer.alloc((channels[0]?.length ?? 0) * channels.length * width);
  channels.forEach((samples, channel) => {
    samples.forEach((sample, i) => write(sample, data, (i * channels.length + channel) * width));
  });
  return wavFile(format, bits, channels.length, sampleRate, data);
}

/** ITU-T G.711 written down a second time: sign, segment and four bits of a sample, inverted. */
function muLawByte(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), 32_635) + 0x84;
  const segment = Math.floor(Math.log2(magnitude)) - 7;
  const low = (magnitude >> (segment + 3)) & 0x0f;
  return ~((sample < 0 ? 0x80 : 0) | (segment << 4) | low) & 0xff;
}

function aLawByte(sample: number): number {
  const magnitude = Math.min(sample < 0 ? ~sample : sample, 32_767) >> 3;
  const segment = magnitude < 32 ? 0 : Math.floor(Math.log2(magnitude)) - 4;
  const low = (magnitude >> Math.max(segment, 1)) & 0x0f;
  return ((sample < 0 ? 0 : 0x80) | (segment << 4) | low) ^ 0x55;
}
