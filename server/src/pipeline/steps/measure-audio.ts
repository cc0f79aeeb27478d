import type { TurnRole } from "@aftercall/contract/call.ts";

import { measureSpeech } from "#/metrics/speech.ts";
import { whoseChannels } from "#/metrics/whose-channel.ts";
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
      channelRoles(dossier, found.recording?.row.channel_map ?? []).length === 0 && dossier.told?.digest,
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
    const known = channelRoles(dossier, facts.channelMap);
    const told = known.length === 0 && whoseChannels(facts.speechByChannel, dossier.told?.transcript.turns ?? []);
    const roles = told || known;
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
        ...(told && { detail: `Which channel is whose follows from the times of the transcript: ${told.join(", ")}.` }),
      },
    );
  },
};

/** Who speaks on which channel: as the plan says, else as the provider's recordings are made. */
export function channelRoles({ plan }: Dossier, known: readonly TurnRole[]): readonly TurnRole[] {
  const { channel_map: ofPlan } = plan.definition.transcription;
  return ofPlan.length > 0 ? ofPlan : known;
}
