import { hash } from "node:crypto";

import type { CallStatus } from "@aftercall/contract/call.ts";

import type { CallEvent, Heard, ParseInput } from "../provider.ts";
import { callEvent } from "../provider.ts";
import { aliasOf, keyOf, listOf, objectAt, textOf, wordOf } from "../read.ts";
import { endedReasonOf, factsOf, guessesOf, timesOf, transferOf } from "./facts.ts";
import { momentsOfReport, momentsOfToolCalls, momentsOfTransfer } from "./moments.ts";
import { outcomeOf } from "./outcome.ts";
import { messageOf } from "./payload.ts";
import type { VapiMessage } from "./payload.ts";
import type { VapiSetup } from "./setup.ts";
import { typesWithAnswer } from "./setup.ts";
import { conversationOf, finalTurnOf, liveTurnOf } from "./transcript.ts";

/** One message is one event. @throws MalformedBody */
export function parse({ request }: ParseInput<VapiSetup>): CallEvent[] {
  const said = messageOf(request.body);
  const named = {
    key: keyOfMessage(said, request.body),
    type: said.type,
    occurredAt: said.at,
    aliases: [...aliasOf("vapi_call", said.callId), ...aliasOf("call_sid", said.call["phoneCallProviderId"])],
  };
  return [callEvent({ ...named, ...contentOf(said) })];
}

/** Vapi gives its messages no ids, and sends a repeat with other bytes: its presigned URLs are made anew each time. */
function keyOfMessage({ type, id, callId, message }: VapiMessage, body: Buffer): string {
  if (id !== null) return keyOf("id", id);
  if (callId === null) return keyOf(type, hash("sha256", body, "hex"));
  if (type === "end-of-call-report" || flatStatus.has(type)) return keyOf(type, callId);
  if (type === "status-update") return keyOf(type, callId, wordOf(message["status"]), textOf(message["endedReason"]));
  const { timestamp, role, transcriptType } = message;
  return keyOf(type, callId, textOf(timestamp), wordOf(role), wordOf(transcriptType));
}

/** What each type of message says. */
function contentOf(said: VapiMessage): Partial<CallEvent> {
  const flat = flatStatus.get(said.type);
  if (flat) return flatContent(said, flat);
  switch (said.type) {
    case "status-update":
      return statusContent(said);
    case "end-of-call-report":
      return { ...stated(said), heard: endHeard(said), ...told(said), isReport: true };
    case "assistant-request":
      return { ...stated(said), heard: { status: "ringing", outcome: null } };
    case "transcript":
      return { transcript: finalTurnOf(said), turn: liveTurnOf(said), weight: 1 };
    case "conversation-update":
      return { transcript: conversationOf(said), weight: 2 };
    case "transfer-update":
      return { facts: { transferred_to: transferOf(said) }, moments: momentsOfTransfer(said) };
    case "tool-calls":
      return { moments: momentsOfToolCalls(said) };
    case "call.artifact.upload":
      return uploadContent(said);
    default:
      return { isProcessable: false, isKnown: knownTypes.has(said.type) };
  }
}

/** Status words of the flat shape. They are taken literally: `call.ended` is ended, whatever the reason. */
const flatStatus: ReadonlyMap<string, CallStatus> = new Map([
  ["call.queued", "queued"],
  ["call.started", "queued"],
  ["call.ringing", "ringing"],
  ["call.answered", "in_progress"],
  ["call.ended", "ended"],
  ["call.failed", "failed"],
]);

function flatContent(said: VapiMessage, status: CallStatus): Partial<CallEvent> {
  const isOver = status === "ended" || status === "failed";
  const reason = endedReasonOf(said);
  const outcome = status === "failed" ? "failed" : isOver && reason ? outcomeOf(reason, true) : null;
  return {
    ...stated(said),
    heard: { status, outcome },
    ...(isOver && told(said)),
    isReport: isOver,
  };
}

/** What a report tells of what was said and what happened. */
function told(said: VapiMessage): Pick<CallEvent, "transcript" | "moments"> {
  return { transcript: conversationOf(said), moments: momentsOfReport(said) };
}

export const progress: ReadonlyMap<string, CallStatus> = new Map([
  ["scheduled", "queued"],
  ["queued", "queued"],
  ["ringing", "ringing"],
  ["in-progress", "in_progress"],
  ["forwarding", "in_progress"],
]);

/** The outer status counts; `call.status` may lag behind. `not-found` and `deletion-failed` are about Vapi's own record. */
function statusContent(said: VapiMessage): Partial<CallEvent> {
  const word = wordOf(said.message["status"]) ?? "";
  const isOver = word === "ended";
  const status = progress.get(word);
  if (!isOver && !status) return { isProcessable: false };
  const { facts, guesses } = stated(said);
  return {
    facts,
    guesses: {
      ...guesses,
      ...(word === "in-progress" && { answered_at: said.at }),
      // The message is sent when the call ends; a report states the end itself, minutes later.
      ...(isOver && !facts.ended_at && { ended_at: said.at }),
    },
    heard: status ? { status, outcome: null } : endHeard(said),
    transcript: word === "forwarding" ? conversationOf(said) : null,
    moments: momentsOfTransfer(said),
    weight: word === "forwarding" ? 3 : 5,
    awaitsReport: isOver,
  };
}

/** The end of a call: `failed` and `canceled` have a status of their own. */
export function endHeard(said: VapiMessage): Heard {
  const reason = endedReasonOf(said);
  const { startedAt, endedAt } = timesOf(said);
  const lasted = startedAt !== null && (endedAt ?? said.at ?? 0) > startedAt;
  const outcome = reason === null ? null : outcomeOf(reason, lasted);
  return { status: outcome === "failed" || outcome === "canceled" ? outcome : "ended", outcome };
}

function stated(said: VapiMessage): Pick<CallEvent, "facts" | "guesses"> {
  return { facts: factsOf(said), guesses: guessesOf(said) };
}

/** A recording that could not be uploaded will not come; should a URL come all the same, it wins. */
function uploadContent({ message }: VapiMessage): Partial<CallEvent> {
  const failed = listOf(message["artifacts"])
    .map((item) => objectAt(item))
    .filter((artifact) => artifact["success"] === false)
    .flatMap((artifact) => textOf(artifact["type"]) ?? []);
  const isLost = failed.some((type) => type.startsWith("recording"));
  return {
    ...(isLost && { guesses: { recording: { status: "failed", url: null, duration_ms: null, channels: null } } }),
    ...(failed.length > 0 && { echo: { failed_artifacts: failed.join(", ") } }),
  };
}

/** Messages that say nothing about a call's course (`ServerMessage*` and `CampaignServerMessagesItem` of the SDK). */
const knownTypes: ReadonlySet<string> = new Set([
  ...typesWithAnswer,
  "function-call",
  "speech-update",
  "model-output",
  "hang",
  "user-interrupted",
  "language-change-detected",
  "language-changed",
  "phone-call-control",
  "voice-input",
  "assistant.speechStarted",
  "assistant.started",
  "chat.created",
  "chat.deleted",
  "session.created",
  "session.updated",
  "session.deleted",
  "call.deleted",
  "call.delete.failed",
  "campaign.started",
  "campaign.ended",
  "campaign.cancelled",
  "campaign.archived",
  "contact.dispatched",
  "contact.completed",
  "contact.failed",
  "contact.skipped",
  "contact.predial-failed",
]);
