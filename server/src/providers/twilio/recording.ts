import type { RecordingInfo } from "@aftercall/contract/call.ts";

import type { JsonObject } from "../json.ts";
import { callEvent } from "../provider.ts";
import type { CallEvent } from "../provider.ts";
import { durationOf, emailTimeOf, idIfAny, keyOf, numberOf, textOf, timeOf, wordOf } from "../read.ts";
import type { TwilioSetup } from "./setup.ts";

const infoStatus: ReadonlyMap<string, RecordingInfo["status"]> = new Map([
  ["in-progress", "pending"],
  ["paused", "pending"],
  ["stopped", "pending"],
  ["processing", "pending"],
  ["completed", "available"],
  ["absent", "absent"],
  ["failed", "failed"],
]);

/**
 * A recording status callback. It always names the parent call, and comes after the call has ended
 * (https://www.twilio.com/docs/voice/api/recording). Only a recording that is there is stated: one that is still running
 * or was too short must not hide another one of the same call.
 */
export function recordingEvent(fields: JsonObject, callSid: string, setup: TwilioSetup): CallEvent {
  const word = wordOf(fields["RecordingStatus"])?.slice(0, 50) ?? "";
  const status = infoStatus.get(word) ?? null;
  const recording = status && infoOf(fields, status, setup);
  return callEvent({
    key: keyOf(idIfAny(fields["RecordingSid"]) ?? callSid, word),
    type: `recording.${word}`,
    occurredAt: timeOfRecording(fields, status),
    aliases: [{ kind: "call_sid", value: callSid }],
    isProcessable: status !== null,
    isKnown: status !== null,
    facts: recording && status === "available" ? { recording } : {},
    guesses: recording && status !== "available" ? { recording } : {},
    weight: status === "pending" ? 4 : 5,
  });
}

/** The recording that a terminal status callback of an API-recorded call announces, without a status of its own. */
export function recordingIn(fields: JsonObject, setup: TwilioSetup): RecordingInfo | null {
  return textOf(fields["RecordingUrl"]) ? infoOf(fields, "available", setup) : null;
}

function infoOf(fields: JsonObject, status: RecordingInfo["status"], setup: TwilioSetup): RecordingInfo {
  const isThere = status === "available";
  const channels = numberOf(fields["RecordingChannels"]);
  return {
    status,
    url: isThere ? withFormat(textOf(fields["RecordingUrl"]), setup.recording_format) : null,
    duration_ms: isThere ? durationOf(fields["RecordingDuration"], "s") : null,
    channels: channels !== null && Number.isInteger(channels) ? channels : null,
  };
}

function withFormat(url: string | null, format: string): string | null {
  return url === null || /\.(?:wav|mp3)$/i.test(url) ? url : `${url}.${format}`;
}

/** The start is told, and with the length the end. */
function timeOfRecording(fields: JsonObject, status: RecordingInfo["status"] | null): number | null {
  const given = fields["RecordingStartTime"];
  const startedAt = emailTimeOf(given) ?? timeOf(given);
  if (startedAt === null || status === "pending") return startedAt;
  return startedAt + (durationOf(fields["RecordingDuration"], "s") ?? 0);
}
