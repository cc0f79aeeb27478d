import type { CostLine, EngineRef, Usage } from "@aftercall/contract/analysis/engine.ts";
import type { CallDirection, Transcript, TurnRole } from "@aftercall/contract/call.ts";

import type { Heard } from "./recognise.ts";

/** From, to; milliseconds from the start of the recording. */
export type SpeechInterval = readonly [startMs: number, endMs: number];

/** A recording as it lies on this machine, and where in it somebody speaks. */
export type AudioFile = {
  readonly path: string;
  readonly mime: string;
  readonly bytes: number;
  readonly channels: number;
  readonly durationMs: number;
  /** Per channel, the first channel first, in order; null where nobody measured it. */
  readonly speech: readonly (readonly SpeechInterval[])[] | null;
};

/** One channel of a recording as a file of its own: WAV, 16 bits, with a header of 44 bytes, as `audio/split` writes it. */
export type ChannelFile = {
  readonly channel: number;
  readonly path: string;
  readonly bytes: number;
  readonly sampleRateHz: number;
  readonly durationMs: number;
};

/** Makes the channels of a recording files of their own. `remove` is called when they are not needed any more. */
export type SplitChannels = (
  audio: AudioFile,
  signal: AbortSignal,
) => Promise<{ readonly files: readonly ChannelFile[]; readonly remove: () => Promise<void> }>;

export type Transcription = {
  readonly audio: AudioFile;
  /** BCP 47. Always sent when known: detection is the weakest part of many engines. */
  readonly language: string | null;
  /** Names and terms that are likely to be said. */
  readonly hints: readonly string[];
  /** Who speaks on which channel, the first channel first; empty: nobody knows. */
  readonly channelMap: readonly TurnRole[];
  readonly direction: CallDirection | null;
  readonly signal: AbortSignal;
  /** Where answers are kept as soon as they came, so that a transcription that is begun again pays for none of them twice. */
  readonly answers?: KeptHearings;
};

/** What engines answered for one recording, under the SHA-256 of what was asked. A `Heard` is plain JSON. */
export type KeptHearings = {
  find(hash: Buffer): Promise<Heard | null>;
  keep(hash: Buffer, heard: Heard, cost: readonly CostLine[]): Promise<void>;
};

export type DroppedSegment = {
  readonly start_ms: number;
  readonly end_ms: number;
  readonly channel: number | null;
  readonly text: string;
  readonly why: "no_speech" | "compression" | "repeated" | "no_energy";
};

/** How far a transcript can be trusted, and what was taken out of it. */
export type TranscriptQuality = {
  readonly avg_confidence: number | null;
  readonly avg_logprob: number | null;
  readonly no_speech_prob_max: number | null;
  /** `heuristic_roles`: who is who was guessed, with this confidence. */
  readonly role_source: "channel" | "heuristic" | "none";
  readonly role_confidence: number | null;
  readonly flags: readonly string[];
  readonly dropped_segments: readonly DroppedSegment[];
};

export type TranscriptionAnswer = {
  readonly transcript: Transcript;
  readonly timing: "word" | "turn" | "none";
  readonly quality: TranscriptQuality;
  readonly engine: EngineRef;
  /** Of all requests that were made now; a kept answer costs nothing again. */
  readonly usage: Usage;
  readonly cost: readonly CostLine[];
};

export interface Transcriber {
  /** Who will answer, for the hash of what a result was made from. */
  readonly engine: EngineRef;
  /** @throws Retry, GiveUp */
  transcribe(transcription: Transcription): Promise<TranscriptionAnswer>;
}
