import { problemOf, type Problem, type ProblemCode } from "@aftercall/contract/problem.ts";

import { AppError, messageOf, Unavailable } from "#/kernel/errors.ts";

/** An error as it may be shown: nothing of ours is in it but the words of an {@link AppError}. */
export type Refusal = {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
  /** True: a bug, the log gets the stack. */
  readonly isBug: boolean;
};

/** RFC 9457 body and headers for anything thrown. `path` is shown as `instance`, without its query. */
export function refusalFor(thrown: unknown, context: { publicUrl: string; path: string; requestId: string }): Refusal {
  const error = asAppError(thrown);
  const meaning = problemOf(error?.code ?? "internal");
  const problem: Problem = {
    type: `${context.publicUrl}/docs/problems/${error?.code ?? "internal"}`,
    title: meaning?.title ?? "Refused",
    status: error?.status ?? 500,
    detail: error?.message ?? "Internal server error",
    instance: context.path,
    code: error?.code ?? "internal",
    request_id: context.requestId,
    ...(error && error.errors.length > 0 && { errors: [...error.errors] }),
    ...(error?.existing && { existing: { ...error.existing } }),
  };
  return { problem, headers: headersFor(error), isBug: problem.status >= 500 && !(error instanceof Unavailable) };
}

/** Anything thrown as an error that may be shown; null: a bug, of which nothing may be shown. */
export function asAppError(thrown: unknown): AppError | null {
  if (thrown instanceof AppError) return thrown;
  if (isDatabaseDown(thrown)) return new Unavailable("The database cannot be reached; repeat in a few seconds", thrown);
  if (isUnstorableText(thrown)) {
    return new AppError(422, "invalid", "A text holds a NUL or a half of a character, which cannot be stored", {
      cause: thrown,
    });
  }
  return frameworkError(thrown);
}

/**
 * SQLSTATE 22021 (not a character), 22P05 (no such character here), and 22P02 where it is about half a character in JSON: what is
 * wrong is in the request.
 */
function isUnstorableText(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  if (/^22(?:021|P05)$/.test(codeOf(thrown))) return true;
  return codeOf(thrown) === "22P02" && "detail" in thrown && /^Unicode .* surrogate/.test(String(thrown.detail));
}

/**
 * Whether an error says that the database cannot serve now: connection lost or refused, SQLSTATE class 08 (connection),
 * 53 (resources: disk full, too many connections), 57 (operator: shutdown, canceled), or no free connection in time.
 */
export function isDatabaseDown(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const code = codeOf(thrown);
  if (/^(08|53|57)[0-9A-Z]{3}$/.test(code)) return true;
  if (["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOTFOUND", "ETIMEDOUT", "ENOENT", "EHOSTUNREACH"].includes(code)) {
    return "syscall" in thrown && thrown.syscall !== "open";
  }
  return /timeout exceeded when trying to connect|Connection terminated|pool after calling end/.test(messageOf(thrown));
}

/** What Fastify and Node refuse by themselves, in our codes. */
function frameworkError(thrown: unknown): AppError | null {
  if (!(thrown instanceof Error)) return null;
  const known = frameworkCodes.get(codeOf(thrown));
  return known ? new AppError(known.status, known.code, known.detail) : null;
}

const frameworkCodes: ReadonlyMap<string, { status: number; code: ProblemCode; detail: string }> = new Map([
  ["FST_ERR_BAD_URL", { status: 400, code: "bad_request", detail: "The path is not a valid URL path" }],
  ["FST_ERR_MAX_PARAM_LENGTH", { status: 404, code: "not_found", detail: "Not found" }],
  [
    "FST_ERR_CTP_INVALID_MEDIA_TYPE",
    { status: 415, code: "unsupported_media_type", detail: "The content type is not accepted" },
  ],
  ["FST_ERR_CTP_BODY_TOO_LARGE", { status: 413, code: "too_large", detail: "The body is too large" }],
  [
    "FST_ERR_CTP_INVALID_CONTENT_LENGTH",
    { status: 400, code: "bad_request", detail: "The body is not as long as Content-Length says" },
  ],
]);

function headersFor(error: AppError | null): Record<string, string> {
  if (error && "retryAfterSeconds" in error) return { "retry-after": String(error.retryAfterSeconds) };
  if (error?.status === 401) return { "www-authenticate": "Bearer" };
  return {};
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
