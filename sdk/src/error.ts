import type { Problem } from "./contract.ts";

/** A field that was refused: `/setup/name` in the body, `?limit` in the query, `:id` in the path. */
export type FieldError = { readonly pointer: string; readonly detail: string };

/**
 * A request that did not succeed. `code` is for programs: one of the server's codes (`not_found`, `invalid`, …), or one of
 * ours: `network` (no answer), `timeout` (no answer in time), `not_a_problem` (an answer that is not of the server: of a proxy).
 */
export class AftercallError extends Error {
  override readonly name = "AftercallError";
  /** Status of the answer; 0 without one. */
  readonly status: number;
  readonly code: string;
  /** What happened and what to do, in words. */
  readonly detail: string;
  /** Under which the server's log has it; null without an answer. */
  readonly requestId: string | null;
  readonly errors: readonly FieldError[];
  /** Seconds after which to go on, when the server says so. */
  readonly retryAfterSeconds: number | null;

  constructor(told: {
    readonly status: number;
    readonly code: string;
    readonly detail: string;
    readonly requestId?: string | null;
    readonly errors?: readonly FieldError[];
    readonly retryAfterSeconds?: number | null;
    readonly cause?: unknown;
  }) {
    super(told.detail, told.cause === undefined ? undefined : { cause: told.cause });
    this.status = told.status;
    this.code = told.code;
    this.detail = told.detail;
    this.requestId = told.requestId ?? null;
    this.errors = told.errors ?? [];
    this.retryAfterSeconds = told.retryAfterSeconds ?? null;
  }
}

/** The error that a refused request tells of: RFC 9457, or whatever stood between the server and us. */
export function errorOf(answer: Response, text: string): AftercallError {
  const { status, headers } = answer;
  const problem = problemIn(text);
  const known = {
    status,
    requestId: problem?.request_id ?? headers.get("x-request-id"),
    retryAfterSeconds: secondsOf(headers.get("retry-after")),
  };
  if (!problem)
    return new AftercallError({ ...known, code: "not_a_problem", detail: `${status} ${text.slice(0, 200)}` });
  return new AftercallError({ ...known, code: problem.code, detail: problem.detail, errors: problem.errors ?? [] });
}

function problemIn(text: string): Problem | null {
  try {
    const told: unknown = JSON.parse(text);
    return typeof told === "object" && told !== null && "code" in told && "detail" in told ? (told as Problem) : null;
  } catch {
    return null;
  }
}

/** `Retry-After` is a number of seconds or a date (RFC 9110 §10.2.3). */
function secondsOf(retryAfter: string | null): number | null {
  if (retryAfter === null) return null;
  const seconds = /^\d+$/.test(retryAfter.trim()) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}
