import type { Answer, EventResult, Receipt } from "../provider.ts";
import { jsonAnswer } from "../provider.ts";

/** The answers of the given call-complete route, kept byte for byte. */
export function answer(receipt: Receipt): Answer {
  switch (receipt.kind) {
    case "stored":
      return storedAnswer(receipt.results[0], receipt.route);
    case "unauthorized":
      return refusal(401, "Unauthorized");
    case "malformed":
      return refusal(400, "Invalid request body");
    case "unavailable":
      return failure(receipt.route);
    case "too_many":
      return refusal(429, "Too many requests", { "retry-after": String(receipt.retryAfterSeconds) });
  }
}

/** A repeat is answered by what became of the session, as the first request was. */
function storedAnswer(result: EventResult | undefined, route: Receipt["route"]): Answer {
  if (!result) return jsonAnswer(200, { success: true });
  if (result.problem !== null) return failure(route);
  if (result.training === "failed") return failure(route);
  if (result.training === "pending") return jsonAnswer(202, { success: true, message: "Feedback is being generated" });
  if (result.training === "exists") return jsonAnswer(200, { success: true, message: "Feedback already exists" });
  if (result.training !== "unknown_session" && result.effect !== "unmatched") return jsonAnswer(200, { success: true });
  if (route === "given") return refusal(404, "Training session not found");
  return jsonAnswer(200, { success: true, message: "Stored until the training session exists" });
}

function failure(route: Receipt["route"]): Answer {
  return refusal(route === "given" ? 500 : 503, "Internal server error", { "retry-after": "5" });
}

function refusal(status: number, error: string, headers?: Readonly<Record<string, string>>): Answer {
  return jsonAnswer(status, { success: false, error }, headers);
}
