import { factOf } from "#/calls/project.ts";
import { Retry } from "#/models/failure.ts";

import type { Dossier } from "../dossier.ts";
import { done, failed, skipped, waiting } from "../outcome.ts";
import { fetchTries, type Step } from "../step.ts";

/** Brings the recording into our own store; waits for one that was announced, or that is to be expected. */
export const fetchRecording: Step = {
  name: "fetch_recording",
  needs: [],
  tries: fetchTries,
  asks: (dossier, { now, limits }) => standing(dossier, now, limits.recordingMs) === "there",
  input: ({ record: { state }, plan }) => {
    const recording = factOf(state, "recording");
    const awaited = factOf(state, "awaits_recording");
    return [recording?.status, recording?.url?.split("?")[0], awaited, plan.definition.recording.fetch];
  },
  async run(dossier, tools) {
    const { now, limits } = tools;
    const until = dossier.startedAt + limits.recordingMs;
    switch (standing(dossier, now, limits.recordingMs)) {
      case "unwanted":
        return skipped("disabled_by_plan", "The plan fetches no recordings.");
      case "none":
        return skipped("no_recording", "The provider announced no recording.");
      case "awaited":
        return waiting(until, "The provider has not told of the recording yet.");
      case "there":
        break;
    }
    const attempt = (dossier.steps.get("fetch_recording")?.attempt ?? 1) - 1;
    // Nobody told of it in time: its provider is asked once.
    const askProvider = factOf(dossier.record.state, "recording") === null;
    const result = await tools.fetchRecording(dossier, { attempt, askProvider });
    switch (result.kind) {
      case "stored":
        return done({ recording: { row: result.recording, facts: null } });
      case "none":
        return skipped(result.reason, `${result.detail}.`);
      case "waiting":
        return now < until ? waiting(until, `${result.detail}.`) : skipped("no_recording", `${result.detail}.`);
      case "retry":
        throw new Retry(result.retryAfterMs, result.reason, { detail: `${result.detail}.` });
      case "failed":
        return failed(result.reason, `${result.detail}.`);
    }
  },
};

/** What is known of the recording now. */
function standing(
  { record: { state }, plan, startedAt }: Dossier,
  now: number,
  waitMs: number,
): "unwanted" | "none" | "awaited" | "there" {
  if (!plan.definition.recording.fetch) return "unwanted";
  const recording = factOf(state, "recording");
  const isInTime = now < startedAt + waitMs;
  if (!recording) {
    if (!factOf(state, "awaits_recording")) return "none";
    return isInTime ? "awaited" : "there";
  }
  if (recording.status === "pending") return isInTime ? "awaited" : "none";
  return "there";
}
