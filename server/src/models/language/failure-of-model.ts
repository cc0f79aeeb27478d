import { APICallError, RetryError } from "ai";

import { HttpFailure } from "#/kernel/net/failure.ts";

import { GiveUp, Retry } from "../failure.ts";
import { failureOfHttp, failureOfStatus } from "../http-failure.ts";

/** Sorts what the SDK throws. Nothing of the request is in the message: it would carry the transcript, and the key. */
export function failureOfModel(error: unknown, signal: AbortSignal): Error {
  if (signal.aborted) return new Retry(0, "engine_unavailable", { detail: "Stopped by this server" });
  const cause = RetryError.isInstance(error) ? error.lastError : error;
  const http = httpFailureIn(cause);
  if (http) return failureOfHttp(http);
  if (cause instanceof Error && (cause.name === "TimeoutError" || cause.name === "AbortError")) {
    return new Retry(null, "engine_timeout", { detail: "The language model did not answer in time" });
  }
  if (APICallError.isInstance(cause)) {
    const { statusCode, responseHeaders, responseBody } = cause;
    if (statusCode !== undefined && statusCode >= 300) {
      return failureOfStatus("The language model", statusCode, responseHeaders ?? {}, responseBody ?? "");
    }
    return new Retry(null, "engine_unavailable", {
      detail: "The language model answered with something that is no answer",
    });
  }
  const name = cause instanceof Error ? cause.name : "";
  if (name === "AI_UnsupportedFunctionalityError") {
    return new GiveUp("engine_rejected", { detail: "The language model cannot do what was asked" });
  }
  // The SDK's errors carry what was asked and answered.
  if (name.startsWith("AI_")) {
    return new Retry(null, "engine_unavailable", {
      detail: "The language model answered with something that is no answer",
    });
  }
  return error instanceof Error ? error : new Error(String(error));
}

function httpFailureIn(error: unknown): HttpFailure | null {
  for (let one = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth++) {
    if (one instanceof HttpFailure) return one;
  }
  return null;
}
