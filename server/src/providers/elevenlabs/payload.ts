import { readJsonObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { MalformedBody } from "../provider.ts";
import { idIfAny, objectAt, objectOf, requiredId, textOf, timeOf } from "../read.ts";

/** One webhook of ElevenLabs: `{ type, event_timestamp, data }`. */
export type ElevenLabsMessage = {
  readonly type: string;
  /** When it was sent, which is after their own work on the call. */
  readonly at: number | null;
  /** As written: part of the event's identity. */
  readonly timestamp: string | null;
  readonly conversationId: string | null;
  readonly data: JsonObject;
};

/** The types that are about a call, and must say about which. */
const callTypes: ReadonlySet<string> = new Set([
  "post_call_transcription",
  "post_call_audio",
  "call_initiation_failure",
]);

/** @throws MalformedBody */
export function messageOf(body: Buffer): ElevenLabsMessage {
  const root = readJsonObject(body);
  const type = textOf(root["type"]);
  if (type === null) throw new MalformedBody("Missing required field: type", "type");
  const isCall = callTypes.has(type);
  const data = objectOf(root["data"]);
  if (isCall && !data) throw new MalformedBody("Missing required field: data", "data");
  const id = data?.["conversation_id"];
  return {
    type,
    at: timeOf(root["event_timestamp"]),
    timestamp: textOf(root["event_timestamp"]),
    conversationId: isCall ? requiredId(id, "conversation_id") : idIfAny(id),
    data: objectAt(data),
  };
}
