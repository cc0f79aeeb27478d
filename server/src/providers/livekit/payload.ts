import { readJsonObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { MalformedBody } from "../provider.ts";
import { idOf, objectAt, objectOf, requiredId, textOf, timeOf, wordOf } from "../read.ts";

/**
 * A LiveKit webhook with its units resolved: protobuf JSON as LiveKit sends it (int64 as decimal text, zero values left
 * out, seconds, milliseconds and nanoseconds side by side) or the Call Outcomes API's ISO times. Times are epoch milliseconds.
 */
export type Payload = {
  readonly id: string;
  /** `participant_left`. */
  readonly event: string;
  readonly createdAt: number | null;
  readonly room: Room;
  readonly participant: Participant | null;
  readonly egress: JsonObject | null;
  readonly job: JsonObject | null;
  readonly roomEndReason: string | null;
  readonly body: JsonObject;
};

export type Room = {
  readonly sid: string | null;
  readonly name: string | null;
  readonly createdAt: number | null;
  readonly metadata: JsonObject;
};

export type Participant = {
  readonly identity: string | null;
  readonly kind: "sip" | "recorder" | "ingress" | "other";
  readonly joinedAt: number | null;
  /** By lower-case name: `sip.callid`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly disconnectReason: string | null;
};

/** The events that say something about a call; the others are recorded and answered as ignored. */
const processable: ReadonlySet<string> = new Set(["participant_left", "room_finished", "egress_ended"]);

export function isProcessable(event: string): boolean {
  return processable.has(event);
}

/**
 * Reads a body.
 * @throws MalformedBody with the normalised name of the missing field: `event_id`, `event_type`, and for events that say
 * something about a call `event_created_at`, `room_name`, `room_sid`.
 */
export function readPayload(bytes: Buffer): Payload {
  const body = readJsonObject(bytes);
  const id = requiredId(body["id"], "event_id");
  const event = requiredId(body["event"], "event_type");
  const createdAt = timeOf(body["createdAt"]);
  const egress = objectOf(body["egressInfo"]);
  const room = roomOf(objectAt(body["room"]), egress, createdAt);
  if (isProcessable(event)) {
    demand(createdAt, "event_created_at");
    demand(room.name, "room_name");
    demand(room.sid, "room_sid");
  }
  return {
    id,
    event,
    createdAt,
    room,
    participant: participantOf(objectOf(body["participant"])),
    egress,
    job: objectOf(body["job"]),
    roomEndReason: textOf(body["roomEndReason"]),
    body,
  };
}

function demand(value: unknown, field: string): void {
  if (value === null) throw new MalformedBody(`Missing required field: ${field}`, field);
}

function roomOf(room: JsonObject, egress: JsonObject | null, createdAt: number | null): Room {
  return {
    sid: idOf(room["sid"] || egress?.["roomId"] || null, "room_sid"),
    name: textOf(room["name"]) ?? textOf(egress?.["roomName"]),
    createdAt: roomTime(room, createdAt),
    metadata: jsonIn(room["metadata"]),
  };
}

/**
 * When the room was made, as precisely as the event's own time: an event in whole seconds and a room in milliseconds
 * would make a call of 45 seconds one of 44.
 */
function roomTime(room: JsonObject, createdAt: number | null): number | null {
  const rough = timeOf(room["creationTime"] || null);
  const precise = timeOf(room["creationTimeMs"] || null);
  return createdAt !== null && createdAt % 1000 === 0 ? (rough ?? precise) : (precise ?? rough);
}

function participantOf(participant: JsonObject | null): Participant | null {
  if (!participant) return null;
  const identity = textOf(participant["identity"]);
  const attributes = attributesOf(participant["attributes"]);
  return {
    identity,
    kind: kindOf(wordOf(participant["kind"]), identity, attributes),
    joinedAt: timeOf(participant["joinedAtMs"] || null) ?? timeOf(participant["joinedAt"] || null),
    attributes,
    disconnectReason: textOf(participant["disconnectReason"]),
  };
}

/** The recorder of an egress takes part as well; older servers show it only by its identity (livekit/livekit#2308). */
function kindOf(
  kind: string | null,
  identity: string | null,
  attributes: ReadonlyMap<string, string>,
): Participant["kind"] {
  if (kind === "sip" || attributes.has("sip.callid")) return "sip";
  if (kind === "egress" || identity?.startsWith("EG_")) return "recorder";
  return kind === "ingress" ? "ingress" : "other";
}

function attributesOf(value: unknown): ReadonlyMap<string, string> {
  const entries = Object.entries(objectAt(value)).flatMap(([name, given]) => {
    const text = textOf(given);
    return text === null ? [] : [[name.toLowerCase(), text] as const];
  });
  return new Map(entries);
}

/** Metadata is free text that many systems fill with a JSON object; anything else is nothing. */
export function jsonIn(value: unknown): JsonObject {
  if (typeof value !== "string") return objectAt(value);
  try {
    return readJsonObject(Buffer.from(value));
  } catch {
    return {};
  }
}
