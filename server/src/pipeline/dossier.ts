import { hash } from "node:crypto";

import type { CostLine, EngineRef, Usage } from "@aftercall/contract/analysis/engine.ts";
import type { MetricSet } from "@aftercall/contract/analysis/metrics.ts";
import type {
  Coaching,
  Evaluation,
  ExtractedField,
  Sentiment,
  Summary,
  TrackerHit,
} from "@aftercall/contract/analysis/run.ts";
import type { StepName, StepReason, StepState } from "@aftercall/contract/analysis/step.ts";
import type { Transcript } from "@aftercall/contract/call.ts";

import type { KeptMoments } from "#/calls/moment-store.ts";
import { project, type Projection } from "#/calls/project.ts";
import type { CallRecord } from "#/calls/record.ts";
import type { KeptTranscript, NewTranscript } from "#/calls/transcript-store.ts";
import type { Plan } from "#/evaluation/run.ts";
import type { NamedTopic } from "#/models/language/answer.ts";
import type { LanguageEngine } from "#/models/language/engine.ts";
import type { SpeechEngine } from "#/models/speech/engine.ts";
import type { Moment } from "#/providers/moment.ts";
import type { Alias } from "#/providers/provider.ts";
import type { MeasuredFacts } from "#/recordings/measure.ts";
import type { RecordingRow } from "#/recordings/store.ts";
import type { Redactor } from "#/redaction/redact.ts";
import { detectLanguage } from "#/text/language.ts";
import { turnsOf } from "#/text/turns.ts";

/** How one step stands. Times are epoch milliseconds. */
export type StepRow = {
  readonly step: StepName;
  readonly state: StepState;
  readonly reason: StepReason | null;
  readonly detail: string | null;
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly nextAttemptAt: number | null;
  /** How often a person had it done again. */
  readonly retried: number;
  /** Digest of what it was made from, in hex; null before its first try. */
  readonly inputHash: string | null;
  readonly engine: EngineRef | null;
  readonly usage: Usage | null;
  readonly cost: readonly CostLine[];
  readonly queuedAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
};

/** What the steps have brought so far. */
export type Found = {
  readonly recording: FoundRecording | null;
  readonly audio: MetricSet | null;
  readonly transcript: KeptTranscript | null;
  /** The same to work with: always in turns, and in a language where one can be told. */
  readonly words: Transcript | null;
  /** The same, as it is to be kept, where this run made it of the recording. */
  readonly heard: NewTranscript | null;
  /** The same without personal data, where the plan has it masked: what everybody outside gets. */
  readonly masked: KeptTranscript | null;
  /** The same, as it is to be kept, where this run made it. */
  readonly covered: NewTranscript | null;
  /** What happened besides talk without personal data, by the event that told it; null where this run did not mask it. */
  readonly moments: ReadonlyMap<string, readonly Moment[]> | null;
  /** What covers the rest of the call with the same tokens; null where this run did not make it. */
  readonly redactor: Redactor | null;
  /** The recording with personal data silenced. */
  readonly redacted: RecordingRow | null;
  readonly text: MetricSet | null;
  /** What answered instead of a person, by what it said. */
  readonly machine: "voicemail" | "menu" | null;
  readonly summary: Summary | null;
  readonly fields: readonly ExtractedField[];
  readonly trackers: readonly TrackerHit[];
  /** What a model named, beside what the trackers do. */
  readonly topics: readonly NamedTopic[];
  readonly sentiment: Sentiment | null;
  readonly evaluation: Evaluation | null;
  readonly coaching: Coaching | null;
};

/** The stored recording, and what was measured of it once it was decoded. */
export type FoundRecording = {
  readonly row: RecordingRow;
  readonly facts: MeasuredFacts | null;
};

export const nothingFound: Found = {
  recording: null,
  audio: null,
  transcript: null,
  words: null,
  heard: null,
  masked: null,
  covered: null,
  moments: null,
  redactor: null,
  redacted: null,
  text: null,
  machine: null,
  summary: null,
  fields: [],
  trackers: [],
  topics: [],
  sentiment: null,
  evaluation: null,
  coaching: null,
};

/** Everything that is known of one call while its pipeline runs. Never changed: each step makes the next one. */
export type Dossier = {
  readonly tenantId: string;
  readonly callId: string;
  readonly record: CallRecord;
  readonly seen: Projection;
  readonly aliases: readonly Alias[];
  readonly plan: Plan;
  readonly engines: DossierEngines;
  /** What the provider sent of what was said. */
  readonly told: KeptTranscript | null;
  /** What happened besides talk, by the event that told it. */
  readonly moments: ReadonlyMap<string, KeptMoments>;
  /** When the pipeline began, and by when call.completed goes out; epoch milliseconds. */
  readonly startedAt: number;
  readonly settleBy: number;
  readonly settledAt: number | null;
  /** The run that holds the results of the last time. */
  readonly runId: string | null;
  /** Digest of the results that were told last; null before. */
  readonly toldDigest: string | null;
  readonly steps: ReadonlyMap<StepName, StepRow>;
  readonly found: Found;
  /** Steps that were looked at since this was last written down. */
  readonly unsaved: ReadonlySet<StepName>;
};

/** What was said, as it may be shown and sent; null where it has to be masked and is not. */
export function shownTranscript({ plan, found }: Pick<Dossier, "plan" | "found">): KeptTranscript | null {
  if (found.masked) return found.masked;
  return plan.definition.redaction.mode === "off" || found.transcript?.redaction === "masked" ? found.transcript : null;
}

/** A transcript as the steps work with it. */
export function wordsIn({ transcript }: KeptTranscript): Transcript {
  const turns = [...turnsOf(transcript)];
  return { ...transcript, turns, language: transcript.language ?? detectLanguage(turns) };
}

/** The engines that may work for this tenant now; null where none is set up, or where its money is spent. */
export type DossierEngines = {
  readonly language: LanguageEngine | null;
  readonly isLanguageSpent: boolean;
  readonly speech: SpeechEngine | null;
  readonly isSpeechSpent: boolean;
};

const finalStates: ReadonlySet<StepState> = new Set(["succeeded", "partial", "skipped", "failed"]);

export function isFinal(row: StepRow | undefined): boolean {
  return row !== undefined && finalStates.has(row.state);
}

/** The digest of anything that JSON can hold, in hex; the order of names, which the database does not keep, counts for nothing. */
export function digest(value: unknown): string {
  return hash("sha256", JSON.stringify(value, inOrder) ?? "");
}

function inOrder(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What a call says that its pipeline depends on: while this is equal, nothing has to be done again. */
export function newsOf({ state }: CallRecord): string {
  const { transcript, moments, facts, is_reported, awaits_report } = state;
  const { outcome } = project(state);
  const recording = facts.recording?.value ?? null;
  return digest([
    outcome,
    transcript?.value.event_id ?? null,
    recording && [recording.status, recording.url?.split("?")[0] ?? null],
    facts.awaits_recording?.value ?? null,
    // By who said it: what is masked later is no news.
    facts.provider_analysis?.by ?? null,
    is_reported,
    awaits_report,
    moments.map(({ value }) => value.event_id),
  ]);
}
