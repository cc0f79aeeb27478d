import type { JsonObject } from "../json.ts";
import { momentsOf } from "../moment.ts";
import type { CallEvent } from "../provider.ts";
import { callEvent } from "../provider.ts";
import { keyOf, textOf, wordOf } from "../read.ts";

/**
 * A conference tells that one of its calls was put on hold, or taken back; null for what else it tells
 * (https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallbackEvent).
 */
export function holdEvent(fields: JsonObject, callSid: string, at: number | null): CallEvent | null {
  const word = wordOf(fields["StatusCallbackEvent"]);
  if (word !== "participant-hold" && word !== "participant-unhold") return null;
  const ref = keyOf(textOf(fields["ConferenceSid"]), textOf(fields["SequenceNumber"]) ?? String(at));
  const when = word === "participant-hold" ? { at } : { end_at: at };
  return callEvent({
    key: keyOf(callSid, ref, word),
    type: word,
    occurredAt: at,
    aliases: [{ kind: "call_sid", value: callSid }],
    // One leg of several: each has its own.
    moments: at === null ? [] : momentsOf([{ kind: "hold", ref, name: callSid, ...when }]),
  });
}
