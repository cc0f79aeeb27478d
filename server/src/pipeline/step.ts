import type { StepName } from "@aftercall/contract/analysis/step.ts";

import type { TranscriptionAnswer } from "#/models/speech/answer.ts";
import type { FetchResult } from "#/recordings/fetch.ts";
import type { MeasureResult } from "#/recordings/measure.ts";
import type { RedactResult } from "#/recordings/redact.ts";

import type { AskModel } from "./ask-model.ts";
import type { Dossier, FoundRecording } from "./dossier.ts";
import type { Finished, Outcome } from "./outcome.ts";

/** One stage of the pipeline. */
export type Step = {
  readonly name: StepName;
  /** What must be final before it can run. */
  readonly needs: readonly StepName[];
  /** What it depends on: while this stays equal, a result stands. */
  input(dossier: Dossier): unknown;
  /** Whether it waits for somebody outside this process; such a try is written down before it begins. */
  asks(dossier: Dossier, tools: Tools): boolean;
  /** Tries, the first included, and the waits between them in milliseconds. */
  readonly tries: Tries;
  /** @throws Retry, GiveUp of models/failure.ts; anything else is a bug of ours. */
  run(dossier: Dossier, tools: Tools): Outcome | Promise<Outcome>;
  /** What it gives when it has failed for good, where that is not just the failure. */
  instead?(dossier: Dossier, tools: Tools, failure: Finished): Finished | Promise<Finished>;
};

export type Tries = {
  readonly max: number;
  /** Wait before try number `next` (2 for the second). */
  waitMs(next: number): number;
};

/** What steps work with besides the dossier. */
export type Tools = {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly signal: AbortSignal;
  readonly newId: () => string;
  readonly limits: PipelineLimits;
  /** Null where the tenant has no language model. */
  readonly askModel: AskModel | null;
  readonly fetchRecording: FetchRecording;
  readonly measureRecording: MeasureRecording;
  readonly redactRecording: RedactRecording;
  /** Null where the tenant has no speech-to-text engine. */
  readonly transcribe: TranscribeRecording | null;
  /** IANA name and ISO 3166 code by which times and phone numbers without more are read. */
  readonly timeZone: string;
  readonly country: string | null;
};

/** One attempt, counted from 0; asks the provider itself where it may. */
export type FetchRecording = (
  dossier: Dossier,
  options: { readonly attempt: number; readonly askProvider: boolean },
) => Promise<FetchResult>;
export type MeasureRecording = (dossier: Dossier, recordingId: string) => Promise<MeasureResult>;
/** Keeps a copy with silence in these stretches, in milliseconds. */
export type RedactRecording = (
  dossier: Dossier,
  recordingId: string,
  windows: readonly (readonly [startMs: number, endMs: number])[],
) => Promise<RedactResult>;
/** Turns a measured recording into text. @throws Retry, GiveUp */
export type TranscribeRecording = (
  dossier: Dossier,
  recording: FoundRecording,
  again: number,
) => Promise<TranscriptionAnswer>;

export type PipelineLimits = {
  /** How long a promised report is waited for, from the end of the call. */
  readonly reportMs: number;
  /** The same for a recording that was announced or is expected. */
  readonly recordingMs: number;
  /** After this call.completed goes out with what is there. */
  readonly settleMs: number;
};

/** For steps that ask nobody: what fails once fails again. */
export const once: Tries = { max: 1, waitMs: () => 0 };

/** Speech-to-text and language models: 10, 20, 40, 80 seconds. */
export const engineTries: Tries = { max: 5, waitMs: (next) => 10_000 * 2 ** (next - 2) };

const fetchWaits = [5_000, 30_000, 120_000, 600_000, 1_800_000, 7_200_000];

/** Fetching a recording: 5 s, 30 s, 2 min, 10 min, 30 min, 2 h. */
export const fetchTries: Tries = {
  max: fetchWaits.length + 1,
  waitMs: (next) => fetchWaits[next - 2] ?? 7_200_000,
};
