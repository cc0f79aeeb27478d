import type { CostLine, EngineRef, Usage } from "@aftercall/contract/analysis/engine.ts";
import type { CallDirection, Transcript, TurnRole } from "@aftercall/contract/call.ts";

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

/** One channel of a recording as a file of its own. `remove` is called once it is not needed any more. */
export type ChannelFile = {
  readonly path: string;
  readonly mime: string;
  readonly bytes: number;
  readonly remove: () => Promise<void>;
};

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
  readonly usage: Usage;
  readonly cost: readonly CostLine[];
};

export interface Transcriber {
  readonly engine: EngineRef;
  /** @throws Retry, GiveUp */
  transcribe(transcription: Transcription): Promise<TranscriptionAnswer>;
}
