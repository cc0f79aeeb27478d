import { createHash } from "node:crypto";

import type { CostLine, EngineRef, Usage } from "@aftercall/contract/analysis/engine.ts";
import type { MetricSet } from "@aftercall/contract/analysis/metrics.ts";
import type { Coaching, Evaluation, ExtractedField, Summary, TrackerHit } from "@aftercall/contract/analysis/run.ts";
import type { StepName, StepReason, StepState } from "@aftercall/contract/analysis/step.ts";
import type { Recording } from "@aftercall/contract/recording.ts";

import { project, type Projection } from "#/calls/project.ts";
import type { CallRecord } from "#/calls/record.ts";
import type { KeptTranscript } from "#/calls/transcript-store.ts";
import type { Plan } from "#/evaluation/run.ts";
import type { Alias } from "#/providers/provider.ts";

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
  readonly text: MetricSet | null;
  readonly isVoicemail: boolean;
  readonly summary: Summary | null;
  readonly fields: readonly ExtractedField[];
  readonly trackers: readonly TrackerHit[];
  readonly evaluation: Evaluation | null;
  readonly coaching: Coaching | null;
};

/** The stored recording, by our own id of it, and where in it each channel speaks: from, to in milliseconds. */
export type FoundRecording = {
  readonly id: string;
  readonly sha256: string;
  /** As the API shows it. */
  readonly shown: Recording;
  readonly speech: readonly (readonly (readonly [number, number])[])[] | null;
};

export const nothingFound: Found = {
  recording: null,
  audio: null,
  transcript: null,
  text: null,
  isVoicemail: false,
  summary: null,
  fields: [],
  trackers: [],
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
  /** What the provider sent of what was said. */
  readonly told: KeptTranscript | null;
  /** When the pipeline began, and by when call.completed goes out; epoch milliseconds. */
  readonly startedAt: number;
  readonly settleBy: number;
  readonly settledAt: number | null;
  /** The run that holds the results of the last time. */
  readonly runId: string | null;
  readonly steps: ReadonlyMap<StepName, StepRow>;
  readonly found: Found;
  /** Steps that were looked at since this was last written down. */
  readonly unsaved: ReadonlySet<StepName>;
};

const finalStates: ReadonlySet<StepState> = new Set(["succeeded", "partial", "skipped", "failed"]);

export function isFinal(row: StepRow | undefined): boolean {
  return row !== undefined && finalStates.has(row.state);
}

/** The digest of anything that JSON can hold, in hex. */
export function digest(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(value) ?? "")
    .digest("hex");
}

/** What a call says that its pipeline depends on: while this is equal, nothing has to be done again. */
export function newsOf({ state }: CallRecord): string {
  const { transcript, facts, is_reported, awaits_report } = state;
  const { outcome } = project(state);
  const recording = facts.recording?.value ?? null;
  return digest([
    outcome,
    transcript?.value.event_id ?? null,
    recording && [recording.status, recording.url?.split("?")[0] ?? null],
    facts.awaits_recording?.value ?? null,
    is_reported,
    awaits_report,
  ]);
}
