import type { Answer, Receipt } from "../provider.ts";
import { jsonAnswer } from "../provider.ts";

/** Plain answers by status: 2xx is stored, 4xx will never work, 503 asks for a repeat. */
export function answer(receipt: Receipt): Answer {
  switch (receipt.kind) {
    case "stored":
      return storedAnswer(receipt.results);
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

function storedAnswer(results: Extract<Receipt, { kind: "stored" }>["results"]): Answer {
  if (results.some(({ problem }) => problem !== null)) {
    return failure("The event is stored and could not be applied yet");
  }
  const call = results[0]?.call;
  return jsonAnswer(200, { received: true, ...(call && { call_id: call.id }) });
}

function failure(message: string): Answer {
  return jsonAnswer(503, { error: "Service Unavailable", message }, { "retry-after": "5" });
}
