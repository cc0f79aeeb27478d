import type { Transcript, Turn } from "@aftercall/contract/call.ts";
import type { LiveTurn } from "@aftercall/contract/live.ts";

import type { JsonObject } from "../json.ts";
import { durationOf, listOf, numberOf, objectAt, objectOf, textOf, wordOf } from "../read.ts";
import { transcriptOf } from "../transcript.ts";
import { timesOf } from "./facts.ts";
import { firstOf } from "./payload.ts";
import type { VapiMessage } from "./payload.ts";

/** The whole conversation as a report, a forwarding or a conversation update tells it. */
export function conversationOf(said: VapiMessage): Transcript | null {
  const messages = firstOf(said, "messages", filled) ?? firstOf(said, "transcript", filled) ?? [];
  const turns = messages.flatMap((item) => turnOf(objectAt(item)) ?? []);
  const text = firstOf(said, "transcript", (value) => (typeof value === "string" ? textOf(value) : null));
  return transcriptOf({ turns, text });
}

/** What a `transcript` message says is being said, also when it is partial. */
export function liveTurnOf({ message }: VapiMessage): LiveTurn | null {
  const text = textOf(message["transcript"]);
  if (text === null) return null;
  return { role: roleOf(message["role"]), text, start_ms: null, is_final: !isPartial(message) };
}

/** The one turn of a final `transcript` message; null for a partial one, which the next one replaces. */
export function finalTurnOf(said: VapiMessage): Transcript | null {
  const { message, at } = said;
  const text = textOf(message["transcript"]);
  if (text === null || isPartial(message)) return null;
  const { startedAt } = timesOf(said);
  const end = at !== null && startedAt !== null ? durationOf(at - startedAt, "ms") : null;
  return transcriptOf({ turns: [{ role: roleOf(message["role"]), text, start_ms: null, end_ms: end }] });
}

function isPartial(message: JsonObject): boolean {
  return wordOf(message["transcriptType"]) === "partial";
}

function filled(value: unknown): readonly unknown[] | null {
  const list = listOf(value);
  return list.length > 0 ? list : null;
}

/** `duration` is milliseconds in real messages, although the SDK's comment says seconds. */
function turnOf(item: JsonObject): Turn | null {
  const text = spokenBy(item);
  if (text === null) return null;
  const start = durationOf(item["secondsFromStart"], "s");
  const [time, endTime] = [numberOf(item["time"]), numberOf(item["endTime"])];
  const lasted =
    (time !== null && endTime !== null ? durationOf(endTime - time, "ms") : null) ?? durationOf(item["duration"], "ms");
  return {
    role: roleOf(item["role"]),
    text,
    start_ms: start,
    end_ms: start !== null && lasted !== null ? start + lasted : null,
  };
}

/** What was said; of a tool call its name and arguments, of a tool's answer its name and result. */
function spokenBy(item: JsonObject): string | null {
  const calls = listOf(item["toolCalls"]).flatMap((call) => {
    const called = objectAt(objectAt(call)["function"]);
    const name = textOf(called["name"]);
    return name === null ? [] : [`${name}(${argumentsOf(called["arguments"])})`];
  });
  if (calls.length > 0) return calls.join("\n");
  const result = textOf(item["result"]);
  if (result !== null) return `${textOf(item["name"]) ?? "tool"} → ${result}`;
  return textOf(item["message"]) ?? textOf(item["content"]);
}

function argumentsOf(value: unknown): string {
  return objectOf(value) ? JSON.stringify(value) : (textOf(value) ?? "");
}

const roles: ReadonlyMap<string, Turn["role"]> = new Map([
  ["bot", "agent"],
  ["assistant", "agent"],
  ["user", "customer"],
  ["system", "system"],
  ["tool", "tool"],
  ["tool_calls", "tool"],
  ["tool_call_result", "tool"],
]);

function roleOf(value: unknown): Turn["role"] {
  return roles.get(wordOf(value) ?? "") ?? "unknown";
}
