import type { CallStatus } from "@aftercall/contract/call.ts";

import type { Alias, CallEvent, Facts, Heard } from "../provider.ts";
import { callEvent } from "../provider.ts";
import { idIfAny, phoneOf, textOf } from "../read.ts";
import { isRejoin, outcomeOf } from "./outcome.ts";
import { isProcessable, jsonIn } from "./payload.ts";
import type { Participant, Payload } from "./payload.ts";
import { recordingOf } from "./recording.ts";
import { isSipRoom, phoneInRoomName } from "./room-name.ts";
import type { LivekitSetup } from "./setup.ts";

/** Every event LiveKit documents (livekit/protocol `livekit_webhook.proto`). */
const known: ReadonlySet<string> = new Set([
  "room_started",
  "room_finished",
  "participant_joined",
  "participant_left",
  "participant_connection_aborted",
  "track_published",
  "track_unpublished",
  "egress_started",
  "egress_updated",
  "egress_ended",
  "ingress_started",
  "ingress_ended",
  "agent_job_started",
  "agent_job_ended",
]);

/**
 * What a webhook says about the call, which is the room. The SIP caller knows best when it ended (weight 5); `room_finished`
 * comes up to twenty seconds of empty room later (2); the agent's leave ends it only where no SIP caller was seen (1).
 */
export function eventOf(payload: Payload, setup: LivekitSetup): CallEvent {
  const heard = heardIn(payload);
  const recording = recordingOf(payload.egress);
  // Only a recording that is there is stated: a second egress that fails must not hide it.
  const isThere = recording?.status === "available";
  return callEvent({
    key: payload.id,
    type: payload.event,
    occurredAt: payload.createdAt,
    aliases: aliasesOf(payload),
    isProcessable: isProcessable(payload.event),
    isKnown: known.has(payload.event),
    heard,
    facts: {
      ...roomFacts(payload),
      ...partyFacts(payload.participant),
      ...joinFacts(payload),
      ...(heard && isEnd(heard) && endFacts(payload)),
      ...(isThere && { recording }),
    },
    guesses: { ...nameGuesses(payload, setup), ...(!isThere && recording && { recording }) },
    weight: weightOf(payload),
    awaitsReport: setup.expects_session_report && heard !== null && isEnd(heard),
  });
}

/** From the room's making to the event, never negative; null where the room's time is not told. */
export function durationMsOf({ createdAt, room }: Payload): number | null {
  if (createdAt === null || room.createdAt === null) return null;
  return Math.max(0, createdAt - room.createdAt);
}

/** The other party: what the SIP participant says, else what the room is called. */
export function phoneIn(payload: Payload, setup: LivekitSetup): string | null {
  return (
    phoneOf(payload.participant?.attributes.get("sip.phonenumber")) ??
    phoneInRoomName(payload.room.name, setup.country_code)
  );
}

/** What the room, the caller or the agent's job was given along: room metadata first, then attributes and SIP headers, then the job. */
export function givenAlong({ room, participant, job }: Payload, name: string): string | null {
  return (
    textOf(room.metadata[name]) ??
    participant?.attributes.get(name) ??
    participant?.attributes.get(`sip.h.x-${name.replaceAll("_", "-")}`) ??
    textOf(jsonIn(job?.["metadata"])[name])
  );
}

function heardIn(payload: Payload): Heard | null {
  const { event, participant, room } = payload;
  switch (event) {
    case "room_started":
      return { status: "queued", outcome: null };
    case "participant_joined":
      return participant?.kind === "sip" ? joined(participant) : null;
    case "participant_left":
      return participant ? left(payload, participant) : null;
    case "room_finished":
      return ended(payload, null);
    case "egress_ended":
      // LiveKit's own egress events carry no room times: a recording may stop while the call goes on.
      return room.createdAt === null ? null : ended(payload, null);
    default:
      return null;
  }
}

/** A SIP participant is in the room before anybody has answered (livekit/sip#295). */
function joined({ attributes }: Participant): Heard | null {
  const status = attributes.get("sip.callstatus")?.toLowerCase();
  if (status === "hangup") return null;
  return { status: isAnswered(status) ? "in_progress" : "ringing", outcome: null };
}

function isAnswered(status: string | undefined): boolean {
  return status === "active" || status === "automation";
}

function left(payload: Payload, { kind, disconnectReason }: Participant): Heard | null {
  if (kind === "recorder" || kind === "ingress" || isRejoin(disconnectReason)) return null;
  const heard = ended(payload, disconnectReason);
  return kind === "sip" ? heard : { ...heard, unless: "has_sip_participant" };
}

function ended(payload: Payload, reason: string | null): Heard {
  const outcome = outcomeOf(reason, durationMsOf(payload));
  const status: CallStatus = outcome === "failed" ? "failed" : "ended";
  return { status, outcome };
}

function isEnd(heard: Heard): boolean {
  return heard.outcome !== null;
}

function weightOf({ event, participant }: Payload): number {
  if (participant?.kind === "sip") return 5;
  return event.startsWith("room_") ? 2 : 1;
}

function aliasesOf({ room, participant, egress }: Payload): Alias[] {
  const attributes = participant?.attributes;
  const found: [Alias["kind"], string | null | undefined][] = [
    ["room_sid", room.sid],
    ["sip_participant", attributes?.get("sip.callid")],
    ["sip_call_id", attributes?.get("sip.callidfull")],
    ["call_sid", attributes?.get("sip.twilio.callsid")],
    ["egress_id", textOf(egress?.["egressId"])],
  ];
  if (room.sid === null) return [];
  return found.flatMap(([kind, given]) => {
    const value = idIfAny(given);
    return value === null ? [] : [{ kind, value }];
  });
}

function roomFacts(payload: Payload): Facts {
  const { room, job } = payload;
  return {
    ...(room.name !== null && { room_name: room.name }),
    ...(room.createdAt !== null && { room_created_at: room.createdAt, started_at: room.createdAt }),
    ...present("campaign", givenAlong(payload, "campaign_id")),
    ...present("lead_id", givenAlong(payload, "lead_id")),
    ...present("customer_name", givenAlong(payload, "customer_name")),
    ...present("agent_name", textOf(job?.["agentName"])),
    ...(Object.keys(room.metadata).length > 0 && { metadata: room.metadata }),
  };
}

/** Who called whom: a dispatch rule is named for incoming calls only (LiveKit docs, SIP participant attributes). */
function partyFacts(participant: Participant | null): Facts {
  if (participant?.kind !== "sip") return {};
  const { attributes } = participant;
  const direction = attributes.has("sip.ruleid") ? "inbound" : attributes.has("sip.trunkid") ? "outbound" : null;
  const other = phoneOf(attributes.get("sip.phonenumber"));
  const ours = phoneOf(attributes.get("sip.trunkphonenumber"));
  const [from, to] = direction === "outbound" ? [ours, other] : [other, ours];
  return {
    ...present("direction", direction),
    ...present("from_number", from),
    ...present("to_number", to),
    ...present("sip_call_id", attributes.get("sip.callid") ?? null),
  };
}

function joinFacts({ event, participant, createdAt }: Payload): Facts {
  if (participant?.kind !== "sip") return {};
  if (event === "participant_left") return { has_sip_participant: true };
  if (event !== "participant_joined") return {};
  const isUp = isAnswered(participant.attributes.get("sip.callstatus")?.toLowerCase());
  return { has_sip_participant: true, ...(isUp && present("answered_at", participant.joinedAt ?? createdAt)) };
}

function endFacts(payload: Payload): Facts {
  const reason = payload.participant?.disconnectReason ?? null;
  return {
    ended_at: payload.createdAt,
    ...present("duration_ms", durationMsOf(payload)),
    ...present("ended_reason", reason ?? payload.roomEndReason),
    ...present("disconnect_reason", reason),
    ...present("participant_identity", payload.participant?.identity ?? null),
  };
}

/** A room name only suggests: what a SIP participant or another provider states is better. */
function nameGuesses({ room }: Payload, setup: LivekitSetup): Facts {
  if (!isSipRoom(room.name)) return {};
  return { direction: "inbound", ...present("from_number", phoneInRoomName(room.name, setup.country_code)) };
}

function present<Name extends keyof Facts>(name: Name, value: Facts[Name] | null): Facts {
  return value === null || value === undefined ? {} : { [name]: value };
}
