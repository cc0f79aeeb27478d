import type { RunRow } from "#/evaluation/run.ts";

import type { Found, StepRow } from "./dossier.ts";
import { nothingFound } from "./dossier.ts";

/** What is kept of a step's result beside its row; null where it lies in a table of its own or gave nothing. */
export function outputOf({ step, state }: StepRow, found: Found): unknown {
  // A recording that could not be silenced fails the step; the words are masked all the same.
  if (step === "redact") return found.masked ? { transcript_id: found.masked.id } : null;
  if (state !== "succeeded" && state !== "partial") return null;
  switch (step) {
    case "transcribe":
      return found.heard ? { transcript_id: found.heard.id } : null;
    case "measure_text":
      return { is_voicemail: found.isVoicemail };
    case "summarise":
      return found.summary;
    case "extract":
      return found.fields.length > 0 ? found.fields : null;
    case "track":
      return found.trackers.length > 0 ? found.trackers : null;
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
  const text = outputs.get("measure_text") as { is_voicemail?: boolean } | null | undefined;
  const kept = <Value>(name: StepRow["step"], ofRun: Value | undefined, none: Value): Value =>
    isGood(name) ? ((outputs.get(name) as Value | null | undefined) ?? ofRun ?? none) : none;
  return {
    ...nothingFound,
    isVoicemail: text?.is_voicemail ?? false,
    summary: kept("summarise", run?.summary, nothingFound.summary),
    fields: kept("extract", run?.fields, nothingFound.fields),
    trackers: kept("track", run?.trackers, nothingFound.trackers),
    evaluation: kept("score", run?.evaluation, nothingFound.evaluation),
    coaching: kept("coach", run?.coaching, nothingFound.coaching),
  };
}
