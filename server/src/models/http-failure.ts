import type { HttpFailure } from "#/kernel/net/failure.ts";

import { GiveUp, Retry } from "./failure.ts";

/** An engine that could not be reached, or not to the end. */
export function failureOfHttp(error: HttpFailure): Retry | GiveUp {
  switch (error.failure) {
    case "blocked_target":
      return new GiveUp("engine_rejected", {
        detail: "The address of the engine is not allowed: an operator opens private networks",
      });
    case "timeout":
      return new Retry(null, "engine_timeout", { detail: "The engine did not answer in time" });
    case "aborted":
      return new Retry(0, "engine_unavailable", { detail: "Stopped by this server" });
    case "dns":
      return new Retry(null, "engine_unavailable", { detail: "The name of the engine's host is not known" });
    case "tls":
      return new Retry(null, "engine_unavailable", { detail: "No secure connection to the engine can be made" });
    default:
      return new Retry(null, "engine_unavailable", { detail: `The engine cannot be reached (${error.failure})` });
  }
}

/** An engine that answered with an error. 408, 409, 425, 429 and 5xx pass; every other status stays. */
export function failureOfStatus(
  who: string,
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string,
): Retry | GiveUp {
  const detail = `${who} answered ${status}${saidIn(body)}`;
  if (status === 408 || status === 504) return new Retry(retryAfterMs(headers), "engine_timeout", { detail });
  if (status === 409 || status === 425 || status === 429 || status >= 500) {
    return new Retry(retryAfterMs(headers), "engine_unavailable", { detail });
  }
  return new GiveUp("engine_rejected", { detail });
}

/** The engine's own words, without anything that looks like a key: some servers repeat the one they refuse. */
function saidIn(body: string): string {
  const message = /"(?:message|detail|error|err_msg|reason)"\s*:\s*"((?:[^"\\]|\\.){1,300})/.exec(body)?.[1] ?? "";
  const safe = message
    .replace(/\\./g, " ")
    .replace(/[A-Za-z0-9_\-*.]{20,}/g, "[hidden]")
    .replace(/[\p{Cc}\p{Cf}]/gu, " ")
    .trim();
  return safe === "" ? "" : `: ${safe}`;
}

/** Seconds, or nothing where it is a date or nonsense; at most an hour. */
function retryAfterMs(headers: Readonly<Record<string, string | string[] | undefined>>): number | null {
  const value = Object.entries(headers).find(([name]) => name.toLowerCase() === "retry-after")?.[1];
  const seconds = Number(Array.isArray(value) ? value[0] : value);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3_600) * 1_000 : null;
}
