import type { Usage } from "@aftercall/contract/analysis/engine.ts";
import type { Word } from "@aftercall/contract/call.ts";

import type { Sound } from "./sound.ts";

/** Something an engine heard. Times are milliseconds from the start of the recording; null where it tells none. */
export type Segment = {
  readonly startMs: number | null;
  readonly endMs: number | null;
  readonly text: string;
  /** Who, in the engine's own names, where it tells speakers apart. */
  readonly speaker: string | null;
  /** 0 to 1. */
  readonly confidence: number | null;
  readonly avgLogprob: number | null;
  readonly noSpeechProb: number | null;
  readonly compressionRatio: number | null;
  readonly words: readonly Word[] | null;
};

export type Heard = {
  readonly segments: readonly Segment[];
  /** BCP 47, where the engine tells. */
  readonly language: string | null;
  readonly usage: Usage;
};

export type Recognition = {
  readonly sound: Sound;
  readonly language: string | null;
  readonly hints: readonly string[];
  readonly diarise: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

/** One engine's way to turn sound into text. Throws Retry and GiveUp; whoever calls decides when to try again. */
export type Recognise = (recognition: Recognition) => Promise<Heard>;

/** What is told of a segment by an engine that tells little. */
export const untold = {
  speaker: null,
  confidence: null,
  avgLogprob: null,
  noSpeechProb: null,
  compressionRatio: null,
  words: null,
} as const;
