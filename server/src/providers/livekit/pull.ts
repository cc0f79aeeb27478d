import { hash } from "node:crypto";

import { readJsonObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import type { CallEvent } from "../provider.ts";
import { callEvent, MalformedBody } from "../provider.ts";
import { below, type ListedPage, type Pull, pulledWeight, type PullInput, type PullRequest } from "../pull.ts";
import { aliasOf, keyOf, listOf, objectAt, textOf, timeOf, wordOf } from "../read.ts";
import { nameOf, secretOf } from "../recording.ts";
import { signHs256 } from "../signatures/jwt.ts";
import { recordingOf } from "./recording.ts";
import type { LivekitSetup } from "./setup.ts";

/**
 * LiveKit's API, Twirp with a token of our own signing: which rooms there are, and which recordings. Rooms that ended are not
 * listed, so that one is gone says that the call is over, and nothing more
 * (https://docs.livekit.io/reference/server/server-apis/).
 */
export const pull: Pull<LivekitSetup> = {
  slot: "api_secret",
  call(input) {
    const sid = nameOf(input.aliases, "room_sid");
    if (sid === null || input.roomName === null) return [];
    const about = `#${encodeURIComponent(sid)}`;
    return [
      ask(input, `/twirp/livekit.RoomService/ListRooms${about}`, { names: [input.roomName] }),
      ask(input, `/twirp/livekit.Egress/ListEgress${about}`, { room_name: input.roomName }),
    ].flatMap((request) => request ?? []);
  },
  read({ request }) {
    const about = subjectOf(request.url);
    const body = readJsonObject(request.body);
    if (request.url.includes("/ListRooms")) return [roomEvent(body, about)];
    return egresses(body).flatMap((egress) => egressEvent(egress, about));
  },
  // Their list knows no time: what is older than asked for is left out here.
  list: (input) => ask(input, `/twirp/livekit.Egress/ListEgress#${input.sinceMs}`, {}),
  readList,
};

/** Which room was asked about: the fragment of the question. */
function subjectOf(url: string): string {
  try {
    return decodeURIComponent(URL.parse(url)?.hash.slice(1) ?? "");
  } catch {
    throw new MalformedBody("The URL of this answer does not say which room it is about", "url");
  }
}

function roomEvent(body: JsonObject, sid: string): CallEvent {
  const room = listOf(body["rooms"])
    .map(objectAt)
    .find((one) => one["sid"] === sid);
  const startedAt = room ? timeOf(room["creation_time"]) : null;
  return callEvent({
    key: keyOf("pulled", "room", sid, room ? "open" : "gone"),
    type: room ? "pulled.room_open" : "pulled.room_gone",
    occurredAt: startedAt,
    aliases: aliasOf("room_sid", sid),
    // When it ended nobody says, so any real report is better.
    heard: room ? { status: "queued", outcome: null } : { status: "timeout", outcome: null },
    facts: { ...(startedAt !== null && { started_at: startedAt, room_created_at: startedAt }) },
    weight: 1,
  });
}

/** A recording that is over ended when the room did, or before it: the only time there is, and a guess. */
function egressEvent(egress: JsonObject, sid: string): CallEvent[] {
  if (egress["roomId"] !== sid) return [];
  const recording = recordingOf(egress);
  const endedAt = timeOf(egress["endedAt"] || null);
  const isThere = recording?.status === "available";
  return [
    callEvent({
      key: keyOf(
        "pulled",
        textOf(egress["egressId"]) ?? hash("sha256", JSON.stringify(egress)),
        wordOf(egress["status"]),
      ),
      type: "pulled.egress",
      occurredAt: endedAt ?? timeOf(egress["startedAt"] || null),
      aliases: [...aliasOf("room_sid", sid), ...aliasOf("egress_id", egress["egressId"])],
      facts: { ...(isThere && { recording }) },
      guesses: { ...(!isThere && recording && { recording }), ...(endedAt !== null && { ended_at: endedAt }) },
      weight: pulledWeight,
    }),
  ];
}

function readList({ url, body }: PullInput<LivekitSetup> & { url: string; body: Buffer }): ListedPage {
  const since = Number(URL.parse(url)?.hash.slice(1) ?? 0);
  const calls = egresses(readJsonObject(body)).flatMap((egress) => {
    const aliases = aliasOf("room_sid", egress["roomId"]);
    const endedAt = timeOf(egress["endedAt"] || null);
    if (aliases.length === 0 || endedAt === null || endedAt < since) return [];
    const hasRecording = recordingOf(egress)?.status === "available";
    return [{ aliases, roomName: textOf(egress["roomName"]), isOver: true, endedAt, hasRecording }];
  });
  return { calls, next: null };
}

/** Twirp writes the names of the protocol, webhooks those of JSON: `room_id`, `roomId`. */
function egresses(body: JsonObject): JsonObject[] {
  return listOf(body["items"]).map((item) => objectAt(camel(item)));
}

function camel(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camel);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      camel(inner),
    ]),
  );
}

/** A token for one minute that may list rooms and recordings and do nothing else. */
function ask({ secrets, setup, nowMs }: PullInput<LivekitSetup>, path: string, question: object): PullRequest | null {
  const secret = secretOf(secrets, "api_secret");
  if (!secret?.keyId || setup.api.base_url === "") return null;
  const now = Math.floor(nowMs / 1000);
  const video = { roomList: true, roomRecord: true };
  const token = signHs256({ iss: secret.keyId, nbf: now - 10, exp: now + 60, video }, secret.value);
  const headers = { accept: "application/json", authorization: `Bearer ${token}`, "content-type": "application/json" };
  return { method: "POST", url: below(setup.api.base_url, path), headers, body: JSON.stringify(question) };
}
