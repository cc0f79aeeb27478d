import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";

import type { Interval } from "#/audio/listen.ts";

/** Where the committed recordings lie, and what is known about them (server/test/fixtures/audio/make.ts). */
export const audioDir = path.join(import.meta.dirname, "../fixtures/audio");

export type Truth = {
  readonly channel_map: readonly ("agent" | "customer")[];
  readonly duration_ms: number;
  readonly turns: readonly { role: "agent" | "customer"; start_ms: number; end_ms: number; text: string }[];
};

export const truth = JSON.parse(readFileSync(path.join(audioDir, "call.truth.json"), "utf8")) as Truth;

export function trueSpeech(role: "agent" | "customer"): Interval[] {
  return truth.turns.filter((turn) => turn.role === role).map((turn) => [turn.start_ms, turn.end_ms] as const);
}

/** What only ffmpeg decodes is tested where it is installed. */
export const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;

/** A WAV file: header and interleaved samples as given. */
export function wavFile(format: number, bits: number, channels: number, sampleRate: number, data: Buffer): Buffer {
  const header = Buffer.alloc(44);
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(36 + data.length, 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(format, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE((sampleRate * channels * bits) / 8, 28);
  header.writeUInt16LE((channels * bits) / 8, 32);
  header.writeUInt16LE(bits, 34);
  header.write("data", 36, "latin1");
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}
