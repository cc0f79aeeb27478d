import { isDeepStrictEqual } from "node:util";

import { factOf } from "#/calls/project.ts";
import type { CallRecord } from "#/calls/record.ts";
import type { CallState } from "#/calls/state.ts";
import type { KeptRecording } from "#/providers/facts.ts";

import type { Dossier } from "./dossier.ts";

/** The state of a call with what became of our own copy of its recording; the same state where it says so already. */
export function withKeptRecording(state: CallState, dossier: Dossier): CallState {
  const value = keptRecording(dossier);
  // What is not known now takes nothing back: that one was erased, say.
  if (!value || isDeepStrictEqual(value, factOf(state, "kept_recording"))) return state;
  const at = dossier.steps.get("fetch_recording")?.finishedAt ?? dossier.startedAt;
  const claim = { value, weight: 1, at, received_at: at, by: `recording:${value.id ?? value.reason}` };
  return { ...state, facts: { ...state.facts, kept_recording: claim } };
}

/** Whether `recording.ready` was told of this copy. */
export function isRecordingTold({ state }: CallRecord, id: string): boolean {
  return factOf(state, "kept_recording")?.id === id;
}

/** Null while nobody knows: then what the provider announced is all there is to say. */
function keptRecording({ steps, found: { recording } }: Dossier): KeptRecording | null {
  if (recording) {
    const { id, duration_ms, channels, codec } = recording.row;
    const measured = steps.get("measure_audio");
    const reason = measured?.state === "failed" ? measured.reason : null;
    return { id, status: "stored", duration_ms, channels, codec, reason };
  }
  const fetched = steps.get("fetch_recording");
  if (fetched?.state !== "failed") return null;
  return { id: null, status: "failed", duration_ms: null, channels: null, codec: null, reason: fetched.reason };
}
