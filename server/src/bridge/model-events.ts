import type { JsonObject } from "#/providers/json.ts";
import { numberOf, objectAt, objectOf, textOf } from "#/providers/read.ts";

/** What a Realtime model says, as far as it matters to a phone call (https://platform.openai.com/docs/api-reference/realtime-server-events). */
export type ModelEvent =
  | { readonly kind: "created" }
  | { readonly kind: "ready" }
  /** `atMs` of both: within the sound that this connection was given. */
  | { readonly kind: "speech_started"; readonly itemId: string; readonly atMs: number }
  | { readonly kind: "speech_stopped"; readonly itemId: string; readonly atMs: number }
  | { readonly kind: "caller_said"; readonly itemId: string; readonly text: string; readonly usage: JsonObject | null }
  | { readonly kind: "caller_not_understood"; readonly itemId: string }
  | { readonly kind: "response_began"; readonly responseId: string }
  | ({ readonly kind: "sound"; readonly payload: string } & PartOfItem)
  | ({ readonly kind: "sound_done" } & PartOfItem)
  | ({ readonly kind: "words"; readonly text: string } & PartOfItem)
  | ({ readonly kind: "said"; readonly text: string } & PartOfItem)
  | { readonly kind: "tool"; readonly callId: string; readonly name: string; readonly args: string }
  | { readonly kind: "response_done"; readonly responseId: string; readonly usage: JsonObject | null }
  | { readonly kind: "error"; readonly code: string | null; readonly message: string };

export type PartOfItem = { readonly responseId: string; readonly itemId: string; readonly contentIndex: number };

/** Null for what is no event, and for events that say nothing to us. Names of the beta protocol are understood and never sent. */
export function readModelEvent(text: string): ModelEvent | null {
  const event = parsed(text);
  if (!event) return null;
  switch (event["type"]) {
    case "session.created":
      return { kind: "created" };
    case "session.updated":
      return { kind: "ready" };
    case "input_audio_buffer.speech_started":
      return { kind: "speech_started", itemId: idIn(event), atMs: numberOf(event["audio_start_ms"]) ?? 0 };
    case "input_audio_buffer.speech_stopped":
      return { kind: "speech_stopped", itemId: idIn(event), atMs: numberOf(event["audio_end_ms"]) ?? 0 };
    case "conversation.item.input_audio_transcription.completed":
      return {
        kind: "caller_said",
        itemId: idIn(event),
        text: textOf(event["transcript"])?.trim() ?? "",
        usage: objectOf(event["usage"]),
      };
    case "conversation.item.input_audio_transcription.failed":
      return { kind: "caller_not_understood", itemId: idIn(event) };
    case "response.created":
      return { kind: "response_began", responseId: textOf(objectAt(event["response"])["id"]) ?? "" };
    case "response.output_audio.delta":
    case "response.audio.delta":
      return typeof event["delta"] === "string" ? { kind: "sound", payload: event["delta"], ...partIn(event) } : null;
    case "response.output_audio.done":
    case "response.audio.done":
      return { kind: "sound_done", ...partIn(event) };
    case "response.output_audio_transcript.delta":
    case "response.audio_transcript.delta":
      return typeof event["delta"] === "string" ? { kind: "words", text: event["delta"], ...partIn(event) } : null;
    case "response.output_audio_transcript.done":
    case "response.audio_transcript.done":
      return { kind: "said", text: textOf(event["transcript"])?.trim() ?? "", ...partIn(event) };
    case "response.function_call_arguments.done":
      return {
        kind: "tool",
        callId: textOf(event["call_id"]) ?? "",
        name: textOf(event["name"]) ?? "",
        args: textOf(event["arguments"]) ?? "",
      };
    case "response.done": {
      const response = objectAt(event["response"]);
      return { kind: "response_done", responseId: textOf(response["id"]) ?? "", usage: objectOf(response["usage"]) };
    }
    case "error": {
      const error = objectAt(event["error"]);
      return { kind: "error", code: textOf(error["code"]), message: textOf(error["message"]) ?? "no message" };
    }
    default:
      return null;
  }
}

function parsed(text: string): JsonObject | null {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return null;
  }
}

function idIn(event: JsonObject): string {
  return textOf(event["item_id"]) ?? "";
}

function partIn(event: JsonObject): PartOfItem {
  return {
    responseId: textOf(event["response_id"]) ?? "",
    itemId: idIn(event),
    contentIndex: numberOf(event["content_index"]) ?? 0,
  };
}
