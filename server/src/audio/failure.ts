import { audioLimits } from "./limits.ts";

/** Why a recording cannot be worked with; the words are those of the pipeline's steps. */
export type AudioRefusal = "recording_refused" | "recording_unreadable" | "recording_too_long" | "recording_too_large";

/** The recording itself is the reason: trying again changes nothing. The message is one sentence a person can act on. */
export class AudioRefused extends Error {
  readonly reason: AudioRefusal;
  constructor(reason: AudioRefusal, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "AudioRefused";
    this.reason = reason;
  }
}

export function tooLong(): AudioRefused {
  return new AudioRefused(
    "recording_too_long",
    `The recording is longer than ${audioLimits.durationMsMax / 3_600_000} hours`,
  );
}
