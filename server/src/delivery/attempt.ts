import { toPublicId } from "@aftercall/contract/id.ts";

import type { Clock } from "#/kernel/clock.ts";
import { limits } from "#/kernel/limits.ts";
import { failureOf } from "#/kernel/net/failure.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";

import { classOfFailure, classOfStatus, type StoredClass } from "./attempt-class.ts";
import { readRetryAfter } from "./schedule.ts";
import { sign } from "./sign.ts";
import type { HandOff } from "./target.ts";

/** What happened in one attempt. */
export type Attempted = {
  readonly class: StoredClass;
  /** 0 without an answer. */
  readonly status: number;
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** For the operator; may name an address. */
  readonly error: string | null;
  readonly retryAfterMs: number | null;
  readonly headers: Readonly<Record<string, string | string[] | undefined>> | null;
  readonly body: Buffer;
};

export type AttemptContext = {
  readonly http: GuardedHttp;
  readonly clock: Clock;
  readonly userAgent: string;
  /** Ends attempts that are still running when the process has to go. */
  readonly signal: AbortSignal;
};

/** Signs and posts one delivery. Null: we ended it ourselves, so it was no attempt. */
export async function attempt(item: HandOff, context: AttemptContext): Promise<Attempted | null> {
  const startedAtMs = context.clock.now();
  const startedAt = context.clock.monotonic();
  try {
    const answer = await context.http.request({
      url: item.target.url,
      method: "POST",
      headers: headersOf(item, startedAtMs, context.userAgent),
      body: item.body,
      timeoutMs: item.target.timeoutMs,
      responseBytesMax: limits.answerBytesMax,
      signal: context.signal,
    });
    return {
      class: classOfStatus(answer.status),
      status: answer.status,
      startedAtMs,
      durationMs: answer.durationMs,
      error: null,
      retryAfterMs: readRetryAfter(answer.headers["retry-after"], context.clock.now()),
      headers: answer.headers,
      body: answer.body,
    };
  } catch (error) {
    const { failure, message } = failureOf(error);
    const failed = classOfFailure(failure);
    if (failed === null) return null;
    const durationMs = context.clock.monotonic() - startedAt;
    return { ...noAnswer, class: failed, startedAtMs, durationMs, error: message };
  }
}

const noAnswer = { status: 0, retryAfterMs: null, headers: null, body: Buffer.alloc(0) } as const;

/** Standard Webhooks, with the number of the attempt. The id is the same in every attempt, the signature is fresh. */
function headersOf({ messageId, target, body, attemptCount }: HandOff, nowMs: number, userAgent: string) {
  const id = toPublicId("message", messageId);
  const timestamp = Math.floor(nowMs / 1000);
  const keys = target.keys.filter(({ expiresAtMs }) => expiresAtMs === null || expiresAtMs > nowMs);
  return {
    "content-type": "application/json",
    "user-agent": userAgent,
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": sign(
      id,
      timestamp,
      body,
      keys.map(({ key }) => key),
    ),
    "aftercall-attempt": String(attemptCount + 1),
  };
}
