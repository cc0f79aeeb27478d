import type { CallAnalysis } from "@aftercall/contract/analysis/call-analysis.ts";
import type { StepName } from "@aftercall/contract/analysis/step.ts";

import type { CallResult } from "#/calls/change.ts";
import type { CallRecord } from "#/calls/record.ts";
import { presentRecording } from "#/recordings/present.ts";

import { type Dossier, shownTranscript } from "./dossier.ts";

/** What is there since the last commit: the recording, the transcript. */
export function arrivedResults(dossier: Dossier): CallResult[] {
  const { found, unsaved, steps } = dossier;
  const results: CallResult[] = [];
  const isNew = (step: StepName) => unsaved.has(step) && steps.get(step)?.state === "succeeded";
  const recordings = [isNew("fetch_recording") ? found.recording?.row : null, isNew("redact") ? found.redacted : null];
  for (const row of recordings) {
    if (!row) continue;
    const data = { recording: presentRecording(row) };
    results.push(resultOf(dossier, dossier.record, "recording.ready", { subject: row.id, id: row.id, data }));
  }
  const shown = shownTranscript(dossier);
  const isCovered = unsaved.has("redact") && found.covered !== null;
  if (shown && (found.masked ? isCovered : isNew("import_transcript") || isNew("transcribe"))) {
    const { id, transcript } = shown;
    results.push(resultOf(dossier, dossier.record, "transcript.ready", { subject: id, id, data: { transcript } }));
  }
  return results;
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
