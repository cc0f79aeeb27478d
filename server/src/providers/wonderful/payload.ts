import { readJsonObject } from "../json.ts";
import { callEvent, MalformedBody } from "../provider.ts";
import type { CallEvent } from "../provider.ts";
import { keyOf, requiredId } from "../read.ts";
import type { WonderfulSetup } from "./setup.ts";

/**
 * "The call is over, here is its training session." Two ids are all that is sent; the rest is fetched from the Communication API.
 * @throws MalformedBody unless both are there as text and the session is a UUID.
 */
export function eventIn(bytes: Buffer, { api }: WonderfulSetup): CallEvent {
  const body = readJsonObject(bytes);
  const communicationId = idText(body["communication_id"], "communication_id");
  const sessionId = idText(body["session_id"], "session_id").toLowerCase();
  if (!uuidForm.test(sessionId)) throw new MalformedBody("Invalid field: session_id", "session_id");
  return callEvent({
    key: keyOf(communicationId, sessionId),
    type: "call-complete",
    aliases: [{ kind: "communication_id", value: communicationId }],
    heard: { status: "ended", outcome: "completed" },
    facts: { purpose: "training" },
    // What was said is fetched after this; call.completed waits for it, within its limit.
    isReport: api.base_url === "",
    awaitsReport: api.base_url !== "",
    training: { sessionId, communicationId },
  });
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Both fields are strings in the given contract: a number is refused, not read as text. */
function idText(value: unknown, field: string): string {
  if (typeof value === "number") throw new MalformedBody(`Invalid field: ${field}`, field);
  return requiredId(value, field);
}
