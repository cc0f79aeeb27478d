import { digestOf, type NewTranscript } from "#/calls/transcript-store.ts";

import { soundBeyondLimit } from "../cost-limit.ts";
import { type Dossier, isFinal, wordsIn } from "../dossier.ts";
import { done, type Finished, skipped } from "../outcome.ts";
import { engineTries, type Step } from "../step.ts";

/** Turns the recording into text, where the provider sent none or the plan prefers our own. */
export const transcribe: Step = {
  name: "transcribe",
  needs: ["import_transcript", "fetch_recording", "measure_audio"],
  tries: engineTries,
  asks: (dossier) => reasonToSkip(dossier) === null,
  input: (dossier) => {
    const { found, told, plan } = dossier;
    return [
      told?.digest,
      found.recording?.row.sha256?.toString("hex"),
      plan.definition.transcription,
      reasonToSkip(dossier)?.reason,
    ];
  },
  async run(dossier, tools) {
    const skip = reasonToSkip(dossier);
    const { recording } = dossier.found;
    if (skip || !recording || !tools.transcribe)
      return skip ?? skipped("no_engine", "No speech-to-text engine is set up.");
    // No part of what it depends on: what was heard stays, whatever is spent after.
    const tooMuch = dossier.engines.speech && soundBeyondLimit(dossier, dossier.engines.speech);
    if (tooMuch) return skipped("cost_limit", tooMuch);
    const again = dossier.steps.get("transcribe")?.retried ?? 0;
    const answer = await tools.transcribe(dossier, recording, again);
    const { transcript, timing, quality, engine, usage, cost } = answer;
    if (transcript.text.trim() === "") {
      return { ...skipped("no_human_speech", "Nobody says a word in the recording."), engine, usage, cost };
    }
    const heard: NewTranscript = {
      ...transcript,
      tenantId: dossier.tenantId,
      id: tools.newId(),
      callId: dossier.callId,
      origin: "stt",
      parentId: null,
      engine,
      timing,
      redaction: "none",
      quality: { ...quality },
    };
    const digest = digestOf(transcript);
    const kept = { id: heard.id, origin: "stt", redaction: "none", parentId: null, digest, transcript } as const;
    return done({ transcript: kept, words: wordsIn(kept), heard }, { engine, usage, cost });
  },
};

/** Shorter recordings hold a greeting at most, and engines make words up for them. */
const recordingMsMin = 1_000;

function reasonToSkip({ told, found, plan, engines, seen, steps }: Dossier): Finished | null {
  if (seen.outcome === "voicemail") return skipped("voicemail", "A machine answered the call.");
  if (told?.origin === "human_edit") {
    return skipped("provider_transcript_present", "A person has put right what was said.");
  }
  if (told && plan.definition.transcription.prefer !== "stt") {
    return skipped("provider_transcript_present", "The provider's own transcript is used.");
  }
  const { recording } = found;
  const fetch = steps.get("fetch_recording");
  if (!recording && fetch?.state === "failed") {
    return skipped("dependency_failed", `The recording could not be fetched: ${fetch.detail ?? ""}`.trim());
  }
  if (!recording && isFinal(fetch)) {
    return skipped("no_recording", "There is no recording to transcribe.");
  }
  if (engines.isSpeechSpent) return skipped("cost_limit", "The budget for speech-to-text is spent for this month.");
  if (!engines.speech)
    return skipped("no_engine", "No speech-to-text engine is set up: PUT /v1/engines/speech sets one.");
  if (!recording) return skipped("no_recording", "There is no recording to transcribe.");
  if (!recording.facts) return skipped("dependency_failed", "The recording could not be read.");
  if (recording.facts.isSilent) return skipped("silent_recording", "Nobody speaks in the recording.");
  if (recording.facts.durationMs < recordingMsMin)
    return skipped("too_short", "The recording is shorter than a second.");
  return null;
}
