import type { CallAnalysis } from "@aftercall/contract/analysis/call-analysis.ts";
import type { StepName } from "@aftercall/contract/analysis/step.ts";

import type { CallResult } from "#/calls/change.ts";
import type { CallRecord } from "#/calls/record.ts";
import { presentRecording } from "#/recordings/present.ts";
import type { RecordingRow } from "#/recordings/store.ts";

import { type Dossier, isFinal, shownTranscript, type StepRow } from "./dossier.ts";
import { isRecordingTold, withKeptRecording } from "./kept-recording.ts";

/** What is there since the last commit: the recording, the transcript. */
export function arrivedResults(dossier: Dossier): CallResult[] {
  const { found, unsaved, steps } = dossier;
  const results: CallResult[] = [];
  const isNew = (step: StepName) => unsaved.has(step) && steps.get(step)?.state === "succeeded";
  for (const recording of [decodedRecording(dossier), isNew("redact") ? presented(found.redacted) : null]) {
    if (!recording) continue;
    const { id, data } = recording;
    const after = { ...dossier.record, state: withKeptRecording(dossier.record.state, dossier) };
    results.push(resultOf(dossier, after, "recording.ready", { subject: id, id, data }));
  }
  const shown = shownTranscript(dossier);
  const isCovered = unsaved.has("redact") && found.covered !== null;
  if (shown && (found.masked ? isCovered : isNew("import_transcript") || isNew("transcribe"))) {
    const { id, transcript } = shown;
    results.push(resultOf(dossier, dossier.record, "transcript.ready", { subject: id, id, data: { transcript } }));
  }
  return results;
}

/** The stored recording with all that is to be known of it: once it was decoded, or cannot be, and was not told of before. */
function decodedRecording({ record, found: { recording }, steps, unsaved }: Dossier) {
  const measured = steps.get("measure_audio");
  if (!recording || !unsaved.has("measure_audio") || !isFinal(measured) || measured?.state === "skipped") return null;
  if (isRecordingTold(record, recording.row.id)) return null;
  return presented(recording.row, measured?.state === "failed" ? measured : null);
}

function presented(row: RecordingRow | null, failure: Pick<StepRow, "reason" | "detail"> | null = null) {
  if (!row) return null;
  const why = failure && { reason: failure.reason, detail: failure.detail };
  return { id: row.id, data: { recording: { ...presentRecording(row), ...why } } };
}

/** What a finished run is told with, ours or the provider's: nothing where every section was skipped. */
export function analysisResults(
  dossier: Dossier,
  after: CallRecord,
  { runId, subject }: { readonly runId: string; readonly subject: string },
  analysis: CallAnalysis,
): CallResult[] {
  // Told with the run that they are of.
  const results = (subject === runId ? analysis.trackers : [])
    .filter(({ hit, alert }) => hit && alert)
    .map((tracker) =>
      resultOf(dossier, after, "tracker.matched", {
        subject: `${runId}:${tracker.id}`,
        id: runId,
        data: { run_id: analysis.run_id, tracker },
      }),
    );
  if (analysis.status === "skipped" && !analysis.provider) return results;
  if (analysis.status !== "failed") {
    return [...results, resultOf(dossier, after, "analysis.completed", { subject, id: subject, data: { analysis } })];
  }
  const failed = Object.values(analysis.sections).find((section) => section?.state === "failed");
  const error = { code: failed?.reason ?? "internal_error", detail: failed?.detail ?? "" };
  return [...results, resultOf(dossier, after, "analysis.failed", { subject, id: subject, data: { analysis, error } })];
}

function resultOf(
  { tenantId, aliases }: Dossier,
  after: CallRecord,
  type: CallResult["type"],
  { subject, id, data }: { subject: string; id: string; data: CallResult["data"] },
): CallResult {
  return { type, tenantId, after, aliases, subject, at: timeOf(id), data };
}

/** When something with this UUIDv7 was made, epoch milliseconds: the same whenever it is told. */
function timeOf(uuid: string): number {
  return Number.parseInt(uuid.replaceAll("-", "").slice(0, 12), 16);
}
