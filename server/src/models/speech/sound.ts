import { createReadStream } from "node:fs";
import { Readable } from "node:stream";

import { monoHeader } from "#/audio/wav/header.ts";

import type { AudioFile, ChannelFile, SpeechInterval } from "./answer.ts";

/** Something that is sent to an engine: a file, or a part of one. Its bytes are streamed each time it is opened. */
export type Sound = {
  readonly open: () => Readable;
  readonly bytes: number;
  readonly mime: string;
  /** A name with an ending that says what it is: some engines go by nothing else. */
  readonly name: string;
  /** Of a recording with several; null for all that it holds. */
  readonly channel: number | null;
  /** Where in the recording it begins. */
  readonly offsetMs: number;
  readonly durationMs: number;
};

/** A whole recording as it lies there. */
export function soundOfFile({ path, mime, bytes, durationMs }: AudioFile): Sound {
  const name = `recording.${endings[mime] ?? "wav"}`;
  return { open: () => createReadStream(path), bytes, mime, name, channel: null, offsetMs: 0, durationMs };
}

/** Whether engines know the form that a file has; what they do not know is made a WAV. */
export function isKnownForm(mime: string): boolean {
  return mime in endings;
}

const endings: Readonly<Record<string, string>> = {
  "audio/wav": "wav",
  "audio/x-wav": "wav",
  "audio/mpeg": "mp3",
  "audio/mp4": "m4a",
  "audio/ogg": "ogg",
  "audio/webm": "webm",
  "audio/flac": "flac",
};

/**
 * The parts of one channel in which somebody speaks, each small enough for the engine: long silences are left out, since engines
 * charge for them and some invent words in them; what is still too large is cut, in a pause where there is one.
 */
export function partsOf(file: ChannelFile, speech: readonly SpeechInterval[] | null, bytesMax: number): Sound[] {
  const bytesPerMs = (file.sampleRateHz * 2) / 1000;
  const longestMs = Math.max(1_000, Math.floor((bytesMax - 44) / bytesPerMs));
  const windows = speech === null ? [[0, file.durationMs] as const] : windowsOf(speech, file.durationMs);
  return windows.flatMap((window) => cut(window, speech ?? [], longestMs)).map(([from, to]) => partOf(file, from, to));
}

/** A silence that is at least as long divides the sound. */
const silenceMs = 30_000;
/** What is kept around speech: its beginning and end are soft. */
const paddingMs = 500;

function windowsOf(speech: readonly SpeechInterval[], durationMs: number): SpeechInterval[] {
  const windows: [number, number][] = [];
  for (const [start, end] of speech) {
    const last = windows.at(-1);
    if (last && start - last[1] < silenceMs) last[1] = Math.max(last[1], end);
    else windows.push([start, end]);
  }
  return windows.map(([start, end]) => [Math.max(0, start - paddingMs), Math.min(durationMs, end + paddingMs)]);
}

function cut([from, to]: SpeechInterval, speech: readonly SpeechInterval[], longestMs: number): SpeechInterval[] {
  if (to - from <= longestMs) return [[from, to]];
  const at = pauseBefore(from + longestMs, from + longestMs / 2, speech) ?? from + longestMs;
  return [[from, at], ...cut([at, to], speech, longestMs)];
}

/** The middle of the last pause that begins between two times. */
function pauseBefore(latest: number, earliest: number, speech: readonly SpeechInterval[]): number | null {
  const pauses = speech.slice(1).map(([start], i): SpeechInterval => [speech[i]?.[1] ?? start, start]);
  const middles = pauses.map(([start, end]) => Math.floor((start + end) / 2));
  return middles.findLast((middle) => middle > earliest && middle < latest) ?? null;
}

function partOf(file: ChannelFile, fromMs: number, toMs: number): Sound {
  const at = (ms: number) => 44 + Math.floor((ms * file.sampleRateHz) / 1000) * 2;
  const start = Math.min(at(fromMs), file.bytes);
  const end = Math.max(start, Math.min(at(toMs), file.bytes));
  const header = monoHeader(file.sampleRateHz, end - start);
  return {
    open: () => Readable.from(samples(file.path, start, end, header)),
    bytes: 44 + end - start,
    mime: "audio/wav",
    name: "recording.wav",
    channel: file.channel,
    offsetMs: fromMs,
    durationMs: toMs - fromMs,
  };
}

async function* samples(path: string, start: number, end: number, header: Buffer): AsyncGenerator<Buffer> {
  yield header;
  if (end > start) yield* createReadStream(path, { start, end: end - 1 });
}
