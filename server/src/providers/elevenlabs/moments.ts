import type { JsonObject } from "../json.ts";
import { type FoundMoment, jsonOrText, type Moment, momentsOf } from "../moment.ts";
import { durationOf, listOf, objectAt, textOf, wordOf } from "../read.ts";

/**
 * What happened inside a conversation, as its transcript tells it: tools with their results and how long they took; what tools
 * of ElevenLabs' own did (transfers, keys that were pressed); nodes of a workflow. Times are whole seconds.
 */
export function conversationMoments(data: JsonObject): Moment[] {
  let node: string | null = null;
  return momentsOf(
    listOf(data["transcript"]).flatMap((given) => {
      const item = objectAt(given);
      const at_ms = durationOf(item["time_in_call_secs"], "s");
      const entered = textOf(objectAt(item["agent_metadata"])["workflow_node_id"]);
      const enters = entered !== null && entered !== node;
      node = entered ?? node;
      return [
        ...(enters ? [{ kind: "node_enter", name: entered, at_ms } as const] : []),
        ...listOf(item["tool_calls"]).flatMap((call) => toolCall(objectAt(call), at_ms)),
        ...listOf(item["tool_results"]).flatMap((result) => toolResult(objectAt(result), at_ms)),
      ];
    }),
  );
}

function toolCall(call: JsonObject, at_ms: number | null): FoundMoment[] {
  const name = textOf(call["tool_name"]);
  if (name === null) return [];
  const args = jsonOrText(call["params_as_json"]);
  return [{ kind: "tool_call", ref: textOf(call["request_id"]), name, args, at_ms }];
}

/** A latency of zero is their default, and says nothing. */
function toolResult(answer: JsonObject, at_ms: number | null): FoundMoment[] {
  const name = textOf(answer["tool_name"]);
  if (name === null) return [];
  const ref = textOf(answer["request_id"]);
  const result = jsonOrText(answer["result_value"]);
  const is_error = typeof answer["is_error"] === "boolean" ? answer["is_error"] : null;
  const latency_ms = durationOf(answer["tool_latency_secs"], "s") || null;
  const told = { kind: "tool_result", ref, name, result, is_error, latency_ms, at_ms } as const;
  return [told, ...doneBy(objectAt(answer["result"] ?? result), ref, at_ms)];
}

/** What a tool of their own did, by the type of its result (their API's ConversationHistoryTranscriptSystemToolResult). */
function doneBy(result: JsonObject, ref: string | null, at_ms: number | null): FoundMoment[] {
  const type = wordOf(result["result_type"]) ?? "";
  if (!type.endsWith("_success")) return [];
  if (type === "transfer_to_agent_success") {
    const [from, to] = [textOf(result["from_agent"]), textOf(result["to_agent"])];
    return [{ kind: "handoff", ref, name: to, args: { from, to }, at_ms }];
  }
  if (type.startsWith("transfer_to_number")) {
    return [{ kind: "transfer", ref, args: { destination: textOf(result["transfer_number"]) }, at_ms }];
  }
  if (type === "play_dtmf_success") {
    return [{ kind: "dtmf", ref, args: { digits: textOf(result["dtmf_tones"]) }, at_ms }];
  }
  return [];
}
