import type { Answer, CallView, EventResult, Receipt } from "../provider.ts";
import { jsonAnswer } from "../provider.ts";

/**
 * ElevenLabs counts only 200 as taken. It repeats 5xx, 408 and 429 (where retries are switched on) and never a 4xx, and
 * many failures in a row switch the webhook off.
 */
export function answer(receipt: Receipt): Answer {
  switch (receipt.kind) {
    case "stored": {
      if (receipt.results.some(({ problem }) => problem !== null)) return ownFailure(receipt);
      const [result] = receipt.results;
      return result ? storedAnswer(result, receipt) : jsonAnswer(200, { status: "ignored" });
    }
    case "unauthorized":
      return jsonAnswer(401, { detail: "Unauthorized" });
    case "malformed":
      return jsonAnswer(400, { detail: receipt.message });
    case "unavailable":
      return ownFailure(receipt);
    case "too_many":
      return jsonAnswer(429, { detail: "Too many requests" }, { "retry-after": String(receipt.retryAfterSeconds) });
  }
}

/** What is unknown is stored either way; only the given route says so, because its callers know these answers. */
function storedAnswer({ event, call }: EventResult, { route }: Receipt): Answer {
  const conversationId = nameOf(event.aliases, "conversation_id");
  if (!event.isKnown && route === "given") return jsonAnswer(400, { detail: `Unknown event type: ${event.type}` });
  if (!event.isProcessable) return jsonAnswer(200, { status: "ignored", event_type: event.type });
  if (!call && route === "given") {
    return jsonAnswer(404, { detail: `Call not found for conversation_id: ${conversationId}` });
  }
  return jsonAnswer(200, {
    conversation_id: conversationId,
    call_sid: nameOf(event.aliases, "call_sid") ?? nameOf(call?.aliases ?? [], "call_sid"),
    call_status: call && statusWord(call),
  });
}

function ownFailure({ route }: Receipt): Answer {
  return jsonAnswer(route === "given" ? 500 : 503, { detail: "Internal server error" }, { "retry-after": "5" });
}

/** The four words of the given system. */
function statusWord({ status, outcome }: CallView): "PENDING" | "IN_PROGRESS" | "COMPLETED" | "FAILED" {
  switch (status) {
    case "queued":
    case "ringing":
      return "PENDING";
    case "in_progress":
      return "IN_PROGRESS";
    case "ended":
      return outcome !== null && ["completed", "voicemail", "transferred"].includes(outcome) ? "COMPLETED" : "FAILED";
    case "failed":
    case "canceled":
    case "timeout":
      return "FAILED";
  }
}

function nameOf(aliases: EventResult["event"]["aliases"], kind: string): string | null {
  return aliases.find((alias) => alias.kind === kind)?.value ?? null;
}
