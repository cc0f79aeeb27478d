import type { NewTranscript } from "#/calls/transcript-store.ts";
import type { RunRow } from "#/evaluation/run.ts";

import { sectionOfStep } from "./analysis.ts";
import type { Dossier, Found, StepRow } from "./dossier.ts";
import { nothingFound } from "./dossier.ts";
import type { SavedMetrics } from "./metric-store.ts";
import type { SavedStep } from "./store.ts";

/** The steps to write down: those that were looked at, and where a run holds what they brought, all of these without it. */
export function stepsIn({ tenantId, callId, unsaved, steps, found }: Dossier, isInRun: boolean): SavedStep[] {
  const names = isInRun ? new Set([...unsaved, ...sectionOfStep.keys()]) : unsaved;
  const kept = isInRun ? { ...found, ...analysisOnly } : found;
  const rows = [...names].flatMap((name) => steps.get(name) ?? []);
  return rows.map((row) => ({ tenantId, callId, row, output: outputOf(row, kept) }));
}

export function metricsIn({ tenantId, callId, unsaved, found }: Dossier): SavedMetrics[] {
  const sets = [unsaved.has("measure_audio") ? found.audio : null, unsaved.has("measure_text") ? found.text : null];
  return sets.flatMap((set) => (set ? [{ tenantId, callId, set }] : []));
}

/** Transcripts that this run made: of the recording, or without personal data. */
export function transcriptsIn({ unsaved, found }: Dossier): NewTranscript[] {
  const made = [unsaved.has("transcribe") ? found.heard : null, unsaved.has("redact") ? found.covered : null];
  return made.flatMap((transcript) => transcript ?? []);
}

/** What happened besides talk, where this run masked it. */
export function maskedMomentsIn({ tenantId, unsaved, found: { moments } }: Dossier) {
  return unsaved.has("redact") && moments && moments.size > 0 ? [{ tenantId, moments }] : [];
}

const { summary, fields, trackers, topics, sentiment, evaluation, coaching } = nothingFound;
const analysisOnly = { summary, fields, trackers, topics, sentiment, evaluation, coaching };

/** What is kept of a step's result beside its row; null where it lies in a table of its own or gave nothing. */
function outputOf({ step, state }: StepRow, found: Found): unknown {
  // A recording that could not be silenced fails the step; the words are masked all the same.
  if (step === "redact") return found.masked ? { transcript_id: found.masked.id } : null;
  if (state !== "succeeded" && state !== "partial") return null;
  switch (step) {
    case "transcribe":
      return found.heard ? { transcript_id: found.heard.id } : null;
    case "measure_text":
      return { machine: found.machine };
    case "summarise":
      return found.summary;
    case "extract":
      return found.fields.length > 0 ? found.fields : null;
    case "track":
      return found.trackers.length > 0 ? found.trackers : null;
    case "name_topics":
      return found.topics.length > 0 ? found.topics : null;
    case "rate_sentiment":
      return found.sentiment;
    case "score":
      return found.evaluation;
    case "coach":
      return found.coaching;
    default:
      return null;
  }
}

/** Which transcript a step made; null where it made none. */
export function transcriptMadeBy(
  step: "transcribe" | "redact",
  steps: readonly { readonly row: StepRow; readonly output: unknown }[],
): string | null {
  const output = steps.find(({ row }) => row.step === step)?.output as { transcript_id?: string } | null | undefined;
  return output?.transcript_id ?? null;
}

/** What earlier runs found, read back: from the steps, and what these no longer hold from the run they went into. */
export function readBack(
  steps: readonly { readonly row: StepRow; readonly output: unknown }[],
  run: RunRow | null,
): Found {
  const outputs = new Map(steps.map(({ row, output }) => [row.step, output]));
  const isGood = (name: StepRow["step"]) =>
    steps.some(({ row }) => row.step === name && (row.state === "succeeded" || row.state === "partial"));
  const text = outputs.get("measure_text") as Partial<Pick<Found, "machine">> | null | undefined;
  const kept = <Value>(name: StepRow["step"], ofRun: Value | undefined, none: Value): Value =>
    isGood(name) ? ((outputs.get(name) as Value | null | undefined) ?? ofRun ?? none) : none;
  return {
    ...nothingFound,
    machine: text?.machine ?? null,
    summary: kept("summarise", run?.summary, nothingFound.summary),
    fields: kept("extract", run?.fields, nothingFound.fields),
    trackers: kept("track", run?.trackers, nothingFound.trackers),
    topics: kept("name_topics", run?.topics, nothingFound.topics),
    sentiment: kept("rate_sentiment", run?.sentiment, nothingFound.sentiment),
    evaluation: kept("score", run?.evaluation, nothingFound.evaluation),
    coaching: kept("coach", run?.coaching, nothingFound.coaching),
  };
}
