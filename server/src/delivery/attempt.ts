import { masked } from "@aftercall/contract/endpoint/headers.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import { limits } from "#/kernel/limits.ts";
import { failureOf } from "#/kernel/net/failure.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";

import { classOfFailure, classOfStatus, classOfTwo, type StoredClass } from "./attempt-class.ts";
import { AuthFailure, type Authorizer, type Proof } from "./auth/authorize.ts";
import type { Content } from "./formats/format.ts";
import { contentOf } from "./mapping/render.ts";
import { signatureHeaders } from "./profiles/index.ts";
import { readRetryAfter } from "./schedule.ts";
import { type HandOff, urlFor } from "./target.ts";

/** What happened in one attempt. */
export type Attempted = {
  readonly class: StoredClass;
  /** Where it went. */
  readonly url: string;
  /** 0 without an answer. */
  readonly status: number;
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** For the operator; may name an address. */
  readonly error: string | null;
  readonly retryAfterMs: number | null;
  /** The headers that were sent, secrets masked; null when nothing was. */
  readonly sent: Readonly<Record<string, string>> | null;
  readonly headers: Readonly<Record<string, string | string[] | undefined>> | null;
  readonly body: Buffer;
};

export type AttemptContext = {
  readonly http: GuardedHttp;
  readonly clock: Clock;
  readonly userAgent: string;
  readonly authorizer: Authorizer;
  /** Ends attempts that are still running when the process has to go. */
  readonly signal: AbortSignal;
};

/** Signs and posts one delivery. Null: we ended it ourselves, so it was no attempt. */
export async function attempt(item: HandOff, context: AttemptContext): Promise<Attempted | null> {
  const startedAtMs = context.clock.now();
  const startedAt = context.clock.monotonic();
  const { target } = item;
  const url = urlFor(item);
  const hasTwo = target.fallbackUrl !== null;
  let sent: Attempted["sent"] = null;
  let content: Content;
  try {
    content = contentOf(item);
  } catch (error) {
    return { ...noAnswer, class: "render", url, startedAtMs, durationMs: 0, error: messageOf(error) };
  }
  try {
    const proof = await context.authorizer.prove(target, context.signal);
    const headers = headersOf(item, content, proof, startedAtMs, context.userAgent);
    sent = withoutSecrets(headers, target, proof);
    const answer = await context.http.request({
      url,
      method: "POST",
      headers,
      body: content.body,
      // What fetching a token took is part of the attempt.
      timeoutMs: Math.max(Math.ceil(target.timeoutMs - (context.clock.monotonic() - startedAt)), 1),
      responseBytesMax: limits.answerBytesMax,
      signal: context.signal,
      privateTargets: target.privateTargets,
      ...(proof.tls && { tls: proof.tls }),
    });
    if (answer.status === 401) context.authorizer.refused(target);
    return {
      class: hasTwo ? classOfTwo(answer.status, url !== target.url) : classOfStatus(answer.status),
      url,
      status: answer.status,
      startedAtMs,
      durationMs: context.clock.monotonic() - startedAt,
      error: null,
      retryAfterMs: hasTwo ? null : readRetryAfter(answer.headers["retry-after"], context.clock.now()),
      sent,
      headers: answer.headers,
      body: answer.body,
    };
  } catch (error) {
    const durationMs = context.clock.monotonic() - startedAt;
    if (error instanceof AuthFailure) {
      if (context.signal.aborted) return null;
      return { ...noAnswer, class: "auth", url, startedAtMs, durationMs, error: messageOf(error) };
    }
    const { failure, message } = failureOf(error);
    const failed = classOfFailure(failure);
    if (failed === null) return null;
    // What is refused before it is dialled was not sent.
    return {
      ...noAnswer,
      sent: failed === "blocked_target" ? null : sent,
      class: failed,
      url,
      startedAtMs,
      durationMs,
      error: message,
    };
  }
}

const noAnswer = { status: 0, retryAfterMs: null, sent: null, headers: null, body: Buffer.alloc(0) } as const;

/** The headers as they may be shown: what proves who we are, and what the tenant calls a secret, stays out of sight. */
function withoutSecrets(
  headers: Readonly<Record<string, string>>,
  { headers: given }: HandOff["target"],
  proof: Proof,
): Readonly<Record<string, string>> {
  if (given.length === 0 && proof.headers.length === 0) return headers;
  const secret = [
    ...given.flatMap(({ name, is_sensitive: isSecret }) => (isSecret ? name : [])),
    ...proof.headers.map(([name]) => name),
  ];
  const sent = secret.filter((name) => Object.hasOwn(headers, name));
  return sent.length === 0 ? headers : { ...headers, ...Object.fromEntries(sent.map((name) => [name, masked])) };
}

/**
 * The tenant's own headers, the proof of who we are, the signature and the number of the attempt. The id is the same in every
 * attempt, the signature is fresh.
 */
function headersOf(
  { messageId, type, target, attemptCount, orderKey, sequence, gap, traceparent }: HandOff,
  { body, contentType, headers }: Content,
  proof: Proof,
  nowMs: number,
  userAgent: string,
) {
  const keys = target.keys.filter(({ expiresAtMs }) => expiresAtMs === null || expiresAtMs > nowMs);
  const signature = signatureHeaders(target.signature, {
    id: toPublicId("message", messageId),
    timestamp: Math.floor(nowMs / 1000),
    type,
    body,
    keys: keys.map(({ key }) => key),
    textKeys: target.profileKey ? [target.profileKey] : keys.flatMap(({ textKey }) => textKey ?? []),
  });
  const ours: Record<string, string> = {
    "content-type": contentType,
    "user-agent": userAgent,
    "aftercall-attempt": String(attemptCount + 1),
    ...headers,
  };
  if (orderKey !== null && sequence !== null) Object.assign(ours, orderHeaders(orderKey, sequence, gap));
  if (traceparent !== null) ours["traceparent"] = traceparent;
  for (const [name, value] of signature) ours[name] = value;
  const given = [...target.headers.map(({ name, value }) => [name, value] as const), ...proof.headers];
  if (given.length === 0) return ours;
  const taken = new Set(Object.keys(ours).map((name) => name.toLowerCase()));
  return { ...Object.fromEntries(given.filter(([name]) => !taken.has(name.toLowerCase()))), ...ours };
}

/** Where the message stands among those of its key. A key of other than visible ASCII is written as in a URL. */
function orderHeaders(orderKey: string, sequence: number, gap: number | null): Record<string, string> {
  return {
    "aftercall-order-key": /^[\x21-\x7e]+$/.test(orderKey) ? orderKey : encodeURIComponent(orderKey),
    "aftercall-sequence": String(sequence),
    ...(gap !== null && { "aftercall-gap": String(gap) }),
  };
}
