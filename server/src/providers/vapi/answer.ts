import type { Answer, Receipt } from "../provider.ts";
import { jsonAnswer } from "../provider.ts";
import type { VapiSetup } from "./setup.ts";
import { typesWithAnswer } from "./setup.ts";

/**
 * Answers are single words of text; a message that asks for something gets the configured JSON. A stored event is always
 * `OK`, also when its call or its type is unknown: Vapi would only send the same again, if at all.
 */
export function answer(receipt: Receipt, setup: VapiSetup): Answer {
  switch (receipt.kind) {
    case "stored": {
      if (receipt.results.some(({ problem }) => problem !== null)) return ownFailure(receipt);
      const asked = typesWithAnswer.find((type) => receipt.results.some(({ event }) => event.type === type));
      return asked ? jsonAnswer(200, setup.answers[asked] ?? {}) : text(200, "OK");
    }
    case "unauthorized":
      return text(401, "Unauthorized");
    case "malformed":
      return text(400, "Bad Request");
    case "unavailable":
      return ownFailure(receipt);
    case "too_many":
      return text(429, "Too Many Requests", { "retry-after": String(receipt.retryAfterSeconds) });
  }
}

function ownFailure({ route }: Receipt): Answer {
  return text(route === "given" ? 500 : 503, "Error", { "retry-after": "5" });
}

function text(status: number, body: string, headers?: Readonly<Record<string, string>>): Answer {
  return { status, body, contentType: "text/plain; charset=utf-8", ...(headers && { headers }) };
}
