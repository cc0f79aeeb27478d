import { factOf } from "#/calls/project.ts";
import type { KeptTranscript, NewTranscript } from "#/calls/transcript-store.ts";
import { digestOf } from "#/calls/transcript-store.ts";
import { muteWindows } from "#/redaction/mute.ts";
import type { PiiSpan, Redactor } from "#/redaction/redact.ts";

import { builtin } from "../builtin.ts";
import type { Dossier, Found } from "../dossier.ts";
import { redactorFor } from "../mask.ts";
import { maskMoments } from "../moments.ts";
import { done, failed, type Finished, skipped } from "../outcome.ts";
import { engineTries, type Step, type Tools } from "../step.ts";

/**
 * Covers personal data in the transcript, and silences it in a copy of the recording, where the plan asks for it. What cannot be
 * covered is not passed on: with one span that nobody knows the time of, no copy is made, and the recording itself stays with
 * administrators.
 */
export const redact: Step = {
  name: "redact",
  needs: ["import_transcript", "transcribe"],
  tries: engineTries,
  asks: (dossier) => recordingToSilence(dossier) !== null,
  input: (dossier) => {
    const { found, plan, record } = dossier;
    const { types } = plan.definition.redaction;
    const names = types.includes("name") ? factOf(record.state, "customer_name") : null;
    const sound = recordingToSilence(dossier)?.sha256?.toString("hex");
    const tellers = [...dossier.moments.keys()].toSorted();
    return [found.transcript?.id, found.transcript?.digest, plan.definition.redaction, names, sound, tellers];
  },
  async run(dossier, tools) {
    const { found, plan } = dossier;
    if (plan.definition.redaction.mode === "off") return skipped("redaction_off", "The plan masks nothing.");
    if (!hasWords(dossier)) return skipped("no_transcript", "There is no transcript to mask.");
    const covered = cover(dossier, tools);
    const finished = done(covered.found, { engine: builtin, detail: covered.detail });
    const recording = recordingToSilence(dossier);
    if (!recording || !found.transcript) return finished;
    if (isWithoutTimes(found.transcript)) return failed("redaction_unlocated", timesGone);
    const plans = muteWindows(covered.spans);
    if ("unlocated" in plans) return failed("redaction_unlocated", unlocated(plans.unlocated.length));
    const result = await tools.redactRecording(dossier, recording.id, plans.windows);
    if (result.kind === "failed") return failed(result.reason, `${result.detail}.`);
    if (result.kind === "gone") return { ...finished, detail: `${covered.detail} The recording was erased.` };
    return { ...finished, found: { ...finished.found, redacted: result.recording } };
  },
  /** Without the sound the words are masked all the same. */
  instead(dossier, tools, failure): Finished {
    if (!hasWords(dossier)) return failure;
    return { ...failure, found: cover(dossier, tools).found, engine: builtin };
  },
};

/** Said by somebody, or given to a tool. */
function hasWords({ found, moments }: Dossier): boolean {
  return found.transcript !== null || moments.size > 0;
}

function recordingToSilence({ plan, found }: Dossier) {
  const { mode, audio } = plan.definition.redaction;
  return mode !== "off" && audio && found.transcript && found.recording ? found.recording.row : null;
}

/** Words that were masked or put right by a person do not tell what is heard in the recording. */
function isWithoutTimes({ origin, redaction }: KeptTranscript): boolean {
  return redaction === "masked" || origin === "human_edit";
}

const timesGone =
  "What was said was masked or edited before, so nobody knows when to be silent; a redacted recording that was made before stays.";

type Covered = { readonly found: Partial<Found>; readonly spans: readonly PiiSpan[]; readonly detail: string };

function cover(dossier: Dossier, tools: Tools): Covered {
  const { found, plan, record, moments } = dossier;
  const { transcript: said } = found;
  // Masked by an earlier run: an analysis beside the pipeline works on what is there.
  if (said?.origin === "redaction") return { found: { masked: said }, spans: [], detail: "Masked before." };
  const redactor = redactorFor(plan.definition.redaction, record, tools.country);
  const covered = said ? coverWords(dossier, said, redactor, tools) : nothingSaid;
  // After the words, so that these have the first tokens.
  return { ...covered, found: { ...covered.found, redactor, moments: maskMoments(moments, redactor) } };
}

const nothingSaid: Covered = { found: {}, spans: [], detail: "Nothing was said; what tools were given is masked." };

function coverWords(
  { tenantId, callId, found }: Dossier,
  said: KeptTranscript,
  redactor: Redactor,
  { newId }: Pick<Tools, "newId">,
): Covered {
  const { transcript, spans } = redactor.maskTranscript(said.transcript);
  const counts = countsOf(spans);
  const { masked: before } = found;
  // Looked at again because of the sound: the words are masked as they were.
  if (before?.parentId === said.id && before.digest === digestOf(transcript)) {
    return { found: { masked: before }, spans, detail: told(counts) };
  }
  const covered: NewTranscript = {
    ...transcript,
    tenantId,
    id: newId(),
    callId,
    origin: "redaction",
    parentId: said.id,
    engine: builtin,
    timing: null,
    redaction: "masked",
    quality: { masked: counts },
  };
  const { id, origin, redaction } = covered;
  const masked = { id, origin, redaction, parentId: said.id, digest: digestOf(transcript), transcript } as const;
  return { found: { masked, covered }, spans, detail: told(counts) };
}

function countsOf(spans: readonly PiiSpan[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { type } of spans) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

function told(counts: Readonly<Record<string, number>>): string {
  const kinds = Object.entries(counts).map(([type, count]) => `${type} ${count}`);
  return kinds.length === 0 ? "Nothing was found that has to be masked." : `Masked: ${kinds.join(", ")}.`;
}

function unlocated(count: number): string {
  const which = count === 1 ? "1 place that has to be silent has" : `${count} places that have to be silent have`;
  return `${which} no times in the transcript, so no redacted recording was made; administrators may hear the original.`;
}
