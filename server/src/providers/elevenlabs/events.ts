import { hash } from "node:crypto";

import type { Alias, CallEvent, ParseInput } from "../provider.ts";
import { callEvent } from "../provider.ts";
import { aliasOf, keyOf, textOf } from "../read.ts";
import { storedAudioIn } from "../recording.ts";
import { conversationAliases, conversationContent } from "./conversation.ts";
import { failureAliases, failureContent } from "./failure.ts";
import { messageOf } from "./payload.ts";
import type { ElevenLabsMessage } from "./payload.ts";
import type { ElevenLabsSetup } from "./setup.ts";

/** One webhook is one event. @throws MalformedBody */
export function parse({ request }: ParseInput<ElevenLabsSetup>): CallEvent[] {
  const message = messageOf(request.body);
  const { type, at, timestamp, conversationId } = message;
  const { aliases, content } = readingOf(message);
  return [
    callEvent({
      key:
        conversationId === null
          ? keyOf(type, hash("sha256", request.body, "hex"))
          : keyOf(type, conversationId, timestamp),
      type,
      occurredAt: at,
      aliases: [...aliasOf("conversation_id", conversationId), ...aliases],
      ...content,
    }),
  ];
}

function readingOf(message: ElevenLabsMessage): { aliases: readonly Alias[]; content: Partial<CallEvent> } {
  switch (message.type) {
    case "post_call_transcription":
      return { aliases: conversationAliases(message), content: conversationContent(message) };
    case "call_initiation_failure":
      return { aliases: failureAliases(message), content: failureContent(message) };
    case "post_call_audio":
      return { aliases: [], content: audioContent(message) };
    default:
      return { aliases: [], content: { isProcessable: false, isKnown: workspaceTypes.has(message.type) } };
  }
}

/** The recording itself, as base64 in the event's own body, or where that was put: there is no URL to fetch it from. */
function audioContent({ data }: ElevenLabsMessage): Partial<CallEvent> {
  if (textOf(data["full_audio"]) === null && storedAudioIn(data["full_audio"]) === null) return {};
  return {
    facts: { recording: { status: "available", url: null, duration_ms: null, channels: null } },
    echo: { recording: "full_audio" },
  };
}

/** Events of the workspace that come over the same webhook and are about no call. */
const workspaceTypes: ReadonlySet<string> = new Set([
  "voice_removal_notice",
  "voice_removal_notice_withdrawn",
  "voice_removed",
  "speech_to_text_transcription",
  "flows_generation",
  "flows_template_run",
]);
