import type { FileHandle } from "node:fs/promises";

import { AudioRefused } from "../failure.ts";
import { audioLimits } from "../limits.ts";

export type WavEncoding =
  | "pcm_u8"
  | "pcm_s16le"
  | "pcm_s24le"
  | "pcm_s32le"
  | "pcm_f32le"
  | "pcm_f64le"
  | "pcm_alaw"
  | "pcm_mulaw";

export type WavHeader = {
  readonly encoding: WavEncoding;
  readonly channels: number;
  readonly sampleRate: number;
  readonly bytesPerSample: number;
  /** Where the samples lie in the file. Cut to what is there: streamed files state lengths that they do not have. */
  readonly dataStart: number;
  readonly dataBytes: number;
};

/** Chunks before the samples; real files have two or three. */
const chunksMax = 64;

/**
 * Reads the header of a RIFF/WAVE file. Null when it holds an encoding that is not decoded here (ADPCM, GSM).
 * @throws AudioRefused when the file is broken.
 */
export async function readWavHeader(file: FileHandle): Promise<WavHeader | null> {
  const { size } = await file.stat();
  let at = 12;
  let format: Omit<WavHeader, "dataStart" | "dataBytes"> | null | undefined;
  for (let chunk = 0; chunk < chunksMax; chunk++) {
    // oxlint-disable-next-line no-await-in-loop -- Where a chunk begins is written in the one before.
    const { buffer, bytesRead } = await file.read(Buffer.alloc(48), 0, 48, at);
    if (bytesRead < 8) break;
    const id = buffer.toString("latin1", 0, 4);
    const length = buffer.readUInt32LE(4);
    if (id === "fmt ") format = formatIn(buffer.subarray(8, Math.min(8 + length, bytesRead)));
    if (id === "data") {
      if (format === undefined) break;
      if (format === null) return null;
      const frame = format.channels * format.bytesPerSample;
      // 0 and 0xffffffff stand for "until the end": whoever wrote it did not know.
      const claimed = length === 0 || length === 0xffff_ffff ? size : length;
      const there = Math.min(claimed, size - at - 8);
      return { ...format, dataStart: at + 8, dataBytes: there - (there % frame) };
    }
    at += 8 + length + (length % 2);
  }
  throw new AudioRefused("recording_unreadable", "The WAV file has no samples");
}

function formatIn(fmt: Buffer): Omit<WavHeader, "dataStart" | "dataBytes"> | null {
  if (fmt.length < 16) throw new AudioRefused("recording_unreadable", "The WAV file has a broken header");
  const tag = fmt.readUInt16LE(0);
  // WAVE_FORMAT_EXTENSIBLE: the real tag begins the GUID of the sub-format.
  const format = tag === 0xfffe && fmt.length >= 26 ? fmt.readUInt16LE(24) : tag;
  const channels = fmt.readUInt16LE(2);
  const sampleRate = fmt.readUInt32LE(4);
  const bits = fmt.readUInt16LE(14);
  const encoding = encodings[`${format}/${bits}`];
  if (!encoding) return null;
  const { channelsMax, sampleRateMin, sampleRateMax } = audioLimits;
  if (channels < 1 || channels > channelsMax || sampleRate < sampleRateMin || sampleRate > sampleRateMax) {
    throw new AudioRefused("recording_unreadable", `The WAV file states ${channels} channels at ${sampleRate} Hz`);
  }
  return { encoding, channels, sampleRate, bytesPerSample: bits / 8 };
}

/** Format tag and bits per sample (RFC 2361). */
const encodings: Readonly<Record<string, WavEncoding>> = {
  "1/8": "pcm_u8",
  "1/16": "pcm_s16le",
  "1/24": "pcm_s24le",
  "1/32": "pcm_s32le",
  "3/32": "pcm_f32le",
  "3/64": "pcm_f64le",
  "6/8": "pcm_alaw",
  "7/8": "pcm_mulaw",
};

/** The 44 bytes before 16-bit samples of one channel. */
export function monoHeader(sampleRate: number, dataBytes: number): Buffer {
  const header = Buffer.alloc(44);
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(36 + dataBytes, 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36, "latin1");
  header.writeUInt32LE(dataBytes, 40);
  return header;
}
