import type { Answer, EventResult, Receipt } from "../provider.ts";
import { jsonAnswer } from "../provider.ts";
import { outcomeWord } from "./outcome-word.ts";

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
    message: `Event processed successfully. Outcome: ${outcomeWord(call?.outcome ?? null) ?? "pending"}`,
    event_id: event.key,
    ...(call && { call_id: call.id }),
  });
}

/** LiveKit sends an event again after any 5xx but 501 (livekit/protocol `webhook/url_notifier.go`). */
function failure(message: string, route: Receipt["route"]): Answer {
  const status = route === "given" ? 500 : 503;
  return jsonAnswer(status, { error: "Failed to process webhook event", message, status }, { "retry-after": "5" });
}
