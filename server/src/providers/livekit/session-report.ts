import type { Turn } from "@aftercall/contract/call.ts";

import type { JsonObject } from "../json.ts";
import { type FoundMoment, jsonOrText, type Moment, momentsOf } from "../moment.ts";
import type { CallEvent } from "../provider.ts";
import { callEvent, MalformedBody } from "../provider.ts";
import { keyOf, listOf, numberOf, objectAt, requiredId, textOf, timeOf, wordOf } from "../read.ts";
import { transcriptOf } from "../transcript.ts";

/**
 * The session report of LiveKit Agents (`ctx.make_session_report().to_dict()`), which an agent sends when its session is over:
 * what was said, which functions were called, which agent took over (https://docs.livekit.io/deploy/observability/data/). The
 * Node SDK writes some names in camel case. Null for anything else.
 * @throws MalformedBody for a report that names no room.
 */
export function sessionReport(body: JsonObject): CallEvent | null {
  const history = body["chat_history"] ?? body["chatHistory"];
  if (history === undefined || body["event"] !== undefined) return null;
  const room = requiredId(body["room_id"] ?? body["roomId"], "room_id");
  const job = requiredId(body["job_id"] ?? body["jobId"], "job_id");
  const items = listOf(objectAt(history)["items"]).map((item) => objectAt(item));
  const at = timeOf(body["timestamp"]);
  const startedAt = timeOf(body["audio_recording_started_at"]) ?? timeOf(body["started_at"]) ?? earliest(items);
  if (items.length > itemsMax) throw new MalformedBody("A report may hold at most 10000 items", "chat_history");
  return callEvent({
    key: keyOf("session_report", job),
    type: "session_report",
    occurredAt: at,
    aliases: [{ kind: "room_sid", value: room }],
    transcript: transcriptOf({ turns: items.flatMap((item) => turnOf(item, startedAt)) }),
    moments: momentsOfItems(items),
    isReport: true,
  });
}

const itemsMax = 10_000;

function earliest(items: readonly JsonObject[]): number | null {
  const times = items.flatMap((item) => createdAt(item) ?? []);
  return times.reduce<number | null>((least, time) => (least === null || time < least ? time : least), null);
}

function createdAt(item: JsonObject): number | null {
  return timeOf(item["created_at"] ?? item["createdAt"]);
}

/** Said by whom, when, and whether it was cut short. A text is a list of parts; what is no text in it is left out. */
function turnOf(item: JsonObject, startedAt: number | null): Turn[] {
  const role = roles.get(wordOf(item["role"]) ?? "");
  const content = item["content"];
  const text = (typeof content === "string" ? [content] : listOf(content))
    .filter((part) => typeof part === "string")
    .join("\n")
    .trim();
  if (item["type"] !== "message" || role === undefined || text === "") return [];
  const metrics = objectAt(item["metrics"]);
  const confidence = numberOf(item["transcript_confidence"] ?? item["transcriptConfidence"]);
  const start = timeOf(metrics["started_speaking_at"] ?? metrics["startedSpeakingAt"]) ?? createdAt(item);
  const end = timeOf(metrics["stopped_speaking_at"] ?? metrics["stoppedSpeakingAt"]);
  return [
    {
      role,
      text,
      start_ms: since(startedAt, start),
      end_ms: since(startedAt, end),
      ...(confidence !== null && { confidence }),
      ...(typeof item["interrupted"] === "boolean" && { interrupted: item["interrupted"] }),
    },
  ];
}

const roles: ReadonlyMap<string, Turn["role"]> = new Map([
  ["assistant", "agent"],
  ["user", "customer"],
]);

function since(startedAt: number | null, at: number | null): number | null {
  return startedAt === null || at === null ? null : Math.max(0, at - startedAt);
}

function momentsOfItems(items: readonly JsonObject[]): Moment[] {
  return momentsOf(
    items.flatMap((item): FoundMoment[] => {
      const at = createdAt(item);
      const ref = textOf(item["call_id"] ?? item["callId"]);
      const name = textOf(item["name"]);
      switch (item["type"]) {
        case "function_call":
          return [{ kind: "tool_call", ref, name, args: jsonOrText(item["arguments"] ?? item["args"]), at }];
        case "function_call_output": {
          const failed = item["is_error"] ?? item["isError"];
          const is_error = typeof failed === "boolean" ? failed : null;
          return [{ kind: "tool_result", ref, name, result: jsonOrText(item["output"]), is_error, at }];
        }
        case "agent_handoff": {
          const from = textOf(item["old_agent_id"] ?? item["oldAgentId"]);
          const to = textOf(item["new_agent_id"] ?? item["newAgentId"]);
          // The first agent of a session takes over from nobody.
          if (from === null) return [];
          return [{ kind: "handoff", ref: textOf(item["id"]), name: to, args: { from, to }, at }];
        }
        default:
          return [];
      }
    }),
  );
}
