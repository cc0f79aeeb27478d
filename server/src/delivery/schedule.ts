/** Jitter is only ever added: 0 to 10 % of the delay. */
const jitterShare = 0.1;

const retryAfterMsMax = 86_400_000;

export type RetryInput = {
  /** Delays between attempts: N of them make N + 1 attempts. */
  readonly scheduleMs: readonly number[];
  /** Scheduled attempts that have failed, this one included. */
  readonly failedCount: number;
  /** What the receiver asked for, null when nothing usable. */
  readonly retryAfterMs: number | null;
  /** 0 to 1. */
  readonly random: () => number;
};

/** Milliseconds until the next attempt, null when the schedule has ended. Never earlier than the schedule. */
export function nextDelayMs({ scheduleMs, failedCount, retryAfterMs, random }: RetryInput): number | null {
  const scheduled = scheduleMs[failedCount - 1];
  if (scheduled === undefined) return null;
  const jittered = Math.round(scheduled * (1 + random() * jitterShare));
  return Math.max(jittered, retryAfterMs ?? 0);
}

/** `Retry-After` in milliseconds, at most a day: seconds or an HTTP date (RFC 9110 §10.2.3). Null for anything else. */
export function readRetryAfter(value: string | string[] | undefined, nowMs: number): number | null {
  const text = (Array.isArray(value) ? value[0] : value)?.trim() ?? "";
  if (/^\d{1,15}$/.test(text)) return Math.min(Number(text) * 1000, retryAfterMsMax);
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) || at < nowMs ? null : Math.min(at - nowMs, retryAfterMsMax);
}
