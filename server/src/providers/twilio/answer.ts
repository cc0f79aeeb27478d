import type { Answer, Receipt } from "../provider.ts";
import { jsonAnswer } from "../provider.ts";

/**
 * Twilio ignores the body of a callback's answer. It repeats a 5xx only where the callback's URL says so (`#rc=3&rp=all`),
 * and shows other failures in its debugger.
 */
export function answer(receipt: Receipt): Answer {
  switch (receipt.kind) {
    case "stored":
      return receipt.results.some((result) => result.problem !== null)
        ? failure("The event is stored and could not be applied yet")
        : { status: 204, body: "" };
    case "unauthorized":
      return jsonAnswer(401, { error: "Unauthorized" });
    case "malformed":
      return jsonAnswer(400, { error: "Bad Request", message: receipt.message });
    case "unavailable":
      return failure(receipt.message);
    case "too_many":
      return jsonAnswer(429, { error: "Too Many Requests" }, { "retry-after": String(receipt.retryAfterSeconds) });
  }
}

function failure(message: string): Answer {
  return jsonAnswer(503, { error: "Service Unavailable", message }, { "retry-after": "5" });
}
