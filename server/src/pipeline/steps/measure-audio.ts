import type { TurnRole } from "@aftercall/contract/call.ts";

import { measureSpeech } from "#/metrics/speech.ts";
import { Retry } from "#/models/failure.ts";

import { builtin } from "../builtin.ts";
import type { Dossier } from "../dossier.ts";
import { tellersOf, toldMoments } from "../moments.ts";
import { done, failed, skipped } from "../outcome.ts";
import { engineTries, type Step } from "../step.ts";

/** Decodes the recording once and computes who spoke when; needs no engine. */
export const measureAudio: Step = {
  name: "measure_audio",
  needs: ["fetch_recording"],
  tries: engineTries,
  asks: ({ found }) => found.recording !== null,
  input: (dossier) => {
    const { found, plan, steps } = dossier;
    return [
      found.recording?.row.id,
      found.recording?.row.sha256?.toString("hex"),
      plan.definition.transcription.channel_map,
      found.recording?.row.channel_map,
      steps.get("fetch_recording")?.state,
      ...tellersOf(dossier),
    ];
  },
  async run(dossier, { measureRecording }) {
    const { recording } = dossier.found;
    if (!recording) return skipped("no_recording", "There is no recording to measure.");
    const result = await measureRecording(dossier, recording.row.id).catch((error: unknown) => {
      throw new Retry(null, "recording_unavailable", {
        detail: "Our own store of recordings did not answer",
        cause: error,
      });
    });
    if (result.kind === "gone") return skipped("erased", "The recording was erased.");
    if (result.kind === "failed") return failed(result.reason, `${result.detail}.`);
    const { facts } = result;
    const found = { recording: { row: result.recording, facts } };
    const roles = channelRoles(dossier, facts.channelMap);
    const audio = measureSpeech({
      speech: facts.speechByChannel.map((intervals, channel) => ({
        role: roles[channel] ?? ("unknown" as const),
        intervals: [...intervals],
      })),
      mediaMs: facts.durationMs,
      told: toldMoments(dossier),
    });
    const mono = facts.channels === 1;
    return done(
      { ...found, audio },
      {
        engine: builtin,
        ...(mono && {
          state: "partial",
          reason: "mono_recording",
          detail: "The recording has one channel: it tells when somebody spoke, not who.",
        }),
      },
    );
  },
};

/** Who speaks on which channel: as the plan says, else as the provider's recordings are made. */
export function channelRoles({ plan }: Dossier, known: readonly TurnRole[]): readonly TurnRole[] {
  const { channel_map: ofPlan } = plan.definition.transcription;
  return ofPlan.length > 0 ? ofPlan : known;
}
