import type { ProviderRequest } from "../provider.ts";
import { durationMsOf, givenAlong, phoneIn } from "./events.ts";
import { readPayload } from "./payload.ts";
import { recordingOf } from "./recording.ts";
import { LivekitSetup } from "./setup.ts";

/** The normalised event of the Call Outcomes API, as it was stored per webhook. Duration in whole seconds. */
export type NormalizedEvent = {
  readonly event_id: string;
  readonly event_type: string;
  readonly room_name: string | null;
  readonly room_sid: string | null;
  readonly participant_identity: string | null;
  readonly disconnect_reason: string | null;
  readonly room_creation_time: string | null;
  readonly event_created_at: string | null;
  readonly phone_number: string | null;
  readonly campaign_id: string | null;
  readonly duration: number | null;
  readonly recording_url: string | null;
  /** The body as sent, without what opens a room or a bucket. */
  readonly raw_payload: unknown;
};

/** The normalised form of a stored webhook. @throws MalformedBody */
export function normalizedEvent(
  { body }: Pick<ProviderRequest, "body">,
  setup: LivekitSetup = LivekitSetup.parse({}),
): NormalizedEvent {
  const payload = readPayload(body);
  const durationMs = durationMsOf(payload);
  return {
    event_id: payload.id,
    event_type: payload.event,
    room_name: payload.room.name,
    room_sid: payload.room.sid,
    participant_identity: payload.participant?.identity ?? null,
    disconnect_reason: payload.participant?.disconnectReason ?? null,
    room_creation_time: isoOf(payload.room.createdAt),
    event_created_at: isoOf(payload.createdAt),
    phone_number: phoneIn(payload, setup),
    campaign_id: givenAlong(payload, "campaign_id"),
    duration: durationMs === null ? null : Math.floor(durationMs / 1000),
    recording_url: recordingOf(payload.egress)?.url ?? null,
    raw_payload: redacted(payload.body),
  };
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** `room.turnPassword` is sent along (livekit/livekit#2065), and an egress request may repeat upload credentials. */
const secretNames: ReadonlySet<string> = new Set([
  "turnPassword",
  "accessKey",
  "secret",
  "sessionToken",
  "assumeRoleArn",
  "assumeRoleExternalId",
  "credentials",
  "accountName",
  "accountKey",
  "streamKey",
]);

function redacted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, secretNames.has(name) ? "[redacted]" : redacted(inner)]),
  );
}
