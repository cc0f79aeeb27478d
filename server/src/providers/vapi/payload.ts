import { readJsonObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { MalformedBody } from "../provider.ts";
import { idOf, objectAt, objectOf, textOf, timeOf } from "../read.ts";

/** One message of Vapi, in either shape: `{ message: { type, … } }`, or flat `{ type, call }`. */
export type VapiMessage = {
  /** Without what may follow in brackets: `transcript[transcriptType="final"]` is a `transcript`. */
  readonly type: string;
  /** Top-level id of the flat shape; Vapi itself sends none. */
  readonly id: string | null;
  readonly callId: string | null;
  readonly at: number | null;
  readonly message: JsonObject;
  readonly call: JsonObject;
  readonly artifact: JsonObject;
};

/** @throws MalformedBody */
export function messageOf(body: Buffer): VapiMessage {
  const root = readJsonObject(body);
  const envelope = objectOf(root["message"]);
  const message = envelope ?? root;
  const type = textOf(message["type"])?.replace(/\[.*$/s, "").trim();
  if (!type) throw new MalformedBody("Missing required field: type", "type");
  const call = objectAt(message["call"]);
  const callId = idOf(call["id"], "call.id");
  if (!envelope && callId === null) throw new MalformedBody("Missing required field: call.id", "call.id");
  const id = envelope ? null : idOf(root["id"], "id");
  return { type, id, callId, at: timeOf(message["timestamp"]), message, call, artifact: objectAt(message["artifact"]) };
}

/**
 * A field where it is said best: in the artifact, beside it (where Vapi repeats it for old receivers), or in the call.
 * `read` decides what counts as said.
 */
export function firstOf<Value>(
  { artifact, message, call }: VapiMessage,
  name: string,
  read: (value: unknown) => Value | null,
): Value | null {
  return read(artifact[name]) ?? read(message[name]) ?? read(call[name]);
}
