import type { Transcript, Turn } from "@aftercall/contract/call.ts";

import type { JsonObject } from "../json.ts";
import { durationOf, listOf, objectAt, textOf, wordOf } from "../read.ts";
import { transcriptOf } from "../transcript.ts";

/** What was said; null when the webhook was told to leave the transcript out. Only the start of a turn is given. */
export function conversationText(data: JsonObject): Transcript | null {
  const turns = listOf(data["transcript"]).flatMap((item) => turnsOf(objectAt(item)));
  return transcriptOf({ turns, language: textOf(objectAt(data["metadata"])["main_language"]) });
}

/** A turn of theirs: what was said, then the tools it called and what they answered. */
function turnsOf(item: JsonObject): Turn[] {
  const at = { start_ms: durationOf(item["time_in_call_secs"], "s"), end_ms: null };
  const role = wordOf(item["role"]);
  const said = textOf(item["message"]);
  const calls = listOf(item["tool_calls"]).map((call) => toolCall(objectAt(call)));
  const results = listOf(item["tool_results"]).map((result) => toolResult(objectAt(result)));
  return [
    ...(said === null ? [] : [{ role: roles.get(role ?? "") ?? "unknown", text: said, ...at, ...cutShort(item) }]),
    ...[...calls, ...results].flatMap((text) => (text === null ? [] : [{ role: "tool" as const, text, ...at }])),
  ];
}

/** Only what the agent says is cut short: the flag stands at every turn, and of a caller's says nothing. */
function cutShort(item: JsonObject): Pick<Turn, "interrupted"> {
  const { interrupted } = item;
  return typeof interrupted === "boolean" && wordOf(item["role"]) === "agent" ? { interrupted } : {};
}

const roles: ReadonlyMap<string, Turn["role"]> = new Map([
  ["agent", "agent"],
  ["user", "customer"],
]);

function toolCall(call: JsonObject): string | null {
  const name = textOf(call["tool_name"]);
  return name && `${name}(${textOf(call["params_as_json"]) ?? ""})`;
}

function toolResult(result: JsonObject): string | null {
  const name = textOf(result["tool_name"]);
  return name && `${name} → ${textOf(result["result_value"]) ?? ""}`;
}
