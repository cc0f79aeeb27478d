import type { CallOutcome } from "@aftercall/contract/call.ts";

import type { Answer, EventResult, Receipt } from "../provider.ts";
import { jsonAnswer } from "../provider.ts";

/** The answers of the Call Outcomes API 1.0.0, kept byte for byte. */
export function answer(receipt: Receipt): Answer {
  switch (receipt.kind) {
    case "stored":
      return storedAnswer(receipt.results[0], receipt.route);
    case "unauthorized":
      return jsonAnswer(401, { error: "Invalid webhook signature", status: 401 });
    case "malformed":
      return jsonAnswer(400, { error: "Invalid webhook payload", details: receipt.message, status: 400 });
    case "unavailable":
      return failure(receipt.message, receipt.route);
    case "too_many":
      return jsonAnswer(
        429,
        { error: "Too many requests", status: 429 },
        { "retry-after": String(receipt.retryAfterSeconds) },
      );
  }
}

function storedAnswer(result: EventResult | undefined, route: Receipt["route"]): Answer {
  if (!result) return jsonAnswer(200, { status: "ignored", message: "The body has no event" });
  const { event, effect, call, problem } = result;
  if (problem !== null) return failure("The event is stored and could not be applied yet", route);
  if (!event.isProcessable) {
    return jsonAnswer(200, {
      status: "ignored",
      message: `Event type '${event.type}' is not processable`,
      event_type: event.type,
    });
  }
  if (effect === "repeat") {
    return jsonAnswer(200, {
      status: "processed",
      message: "Event already processed (idempotency)",
      event_id: event.key,
    });
  }
  return jsonAnswer(200, {
    status: "processed",
    message: `Event processed successfully. Outcome: ${outcomeWord(call?.outcome ?? null)}`,
    event_id: event.key,
    ...(call && { call_id: call.id }),
  });
}

/** LiveKit sends an event again after any 5xx but 501 (livekit/protocol `webhook/url_notifier.go`). */
function failure(message: string, route: Receipt["route"]): Answer {
  const status = route === "given" ? 500 : 503;
  return jsonAnswer(status, { error: "Failed to process webhook event", message, status }, { "retry-after": "5" });
}

/** The API knows four outcomes: nobody of flesh answered a voicemail call, and a transferred one was answered. */
function outcomeWord(outcome: CallOutcome | null): "completed" | "no_answer" | "busy" | "failed" | "pending" {
  switch (outcome) {
    case null:
      return "pending";
    case "voicemail":
      return "no_answer";
    case "transferred":
      return "completed";
    case "canceled":
      return "failed";
    case "completed":
    case "no_answer":
    case "busy":
    case "failed":
      return outcome;
  }
}
