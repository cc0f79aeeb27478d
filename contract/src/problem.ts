import { z } from "zod";

/**
 * The body of every refused request under /v1 (RFC 9457, `application/problem+json`).
 * `code` is for programs and never changes; `detail` is for people and says what to do.
 */
export const Problem = z.object({
  /** Page that explains the code. */
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  /** Path of the request that was refused. */
  instance: z.string(),
  code: z.string(),
  /** Also in the `X-Request-Id` header and in our log. */
  request_id: z.string(),
  /** The fields that were refused: `/setup/name` in the body, `?limit` in the query, `:id` in the path. */
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  /** The thing that is there already, where that is the reason. */
  existing: z.record(z.string(), z.unknown()).optional(),
});
export type Problem = z.infer<typeof Problem>;

export type ProblemMeaning = {
  readonly status: number;
  readonly title: string;
  /** What it means and what the caller can do, shown on the page of the code. */
  readonly meaning: string;
};

/** Every code an answer can carry, and what to do about it. */
export const problems = {
  bad_request: {
    status: 400,
    title: "The request is not valid HTTP for this server",
    meaning:
      "The request line or a header cannot be used: a broken percent escape in the path, or not exactly one Host header. Repeat it in a correct form.",
  },
  malformed: {
    status: 400,
    title: "The body cannot be read",
    meaning:
      "The body is not strict JSON: it must be UTF-8, an object at the top, without duplicate keys, at most 64 levels deep. Fix the body; sending the same bytes again gives the same answer.",
  },
  idempotency_key_invalid: {
    status: 400,
    title: "The Idempotency-Key cannot be used",
    meaning: "Send the header once, with 1 to 255 printable ASCII characters. A UUID is a good key.",
  },
  unknown_version: {
    status: 400,
    title: "This server does not speak this version",
    meaning:
      "`Aftercall-Version` names a date that is none of this server's versions. `errors` names those it speaks; without the header the one counts that the API key was made with.",
  },
  unauthorized: {
    status: 401,
    title: "Missing or invalid credentials",
    meaning:
      "Send `Authorization: Bearer` with an API key of this server (`ac_live_…`, `ac_dev_…`) or a token signed with its JWT_SECRET (HS256, with `exp` and `sub`). Keys that were revoked or have expired answer the same.",
  },
  forbidden: {
    status: 403,
    title: "The credential may not do this",
    meaning:
      "The role of the key or user is too low for the route. Roles from low to high: viewer, member, admin, owner.",
  },
  not_found: {
    status: 404,
    title: "Not found",
    meaning: "Nothing with this id or path exists for this credential. Things of other tenants answer the same.",
  },
  method_not_allowed: {
    status: 405,
    title: "The path exists, the method does not",
    meaning: "Use one of the methods in the `Allow` header of the answer.",
  },
  request_timeout: {
    status: 408,
    title: "The request did not arrive in time",
    meaning: "Headers or body took too long. Send the whole request within the time limit.",
  },
  conflict: {
    status: 409,
    title: "The state does not allow it",
    meaning:
      "Somebody else was faster, or the thing is in a state in which this cannot be done. Read it again, then decide.",
  },
  call_erased: {
    status: 409,
    title: "The call was erased",
    meaning:
      "What the call said about people was erased on request or by age. Its id, times and outcome stay, and nothing is taken in about it again. Leave it alone.",
  },
  duplicate_message: {
    status: 409,
    title: "The message was published before",
    meaning:
      "A message with this `message_id` was published within the last 30 days, and is sent once. `existing` is that message; it is absent when it was removed by age.",
  },
  idempotency_key_in_use: {
    status: 409,
    title: "Another request holds this Idempotency-Key",
    meaning:
      "The first request with this key is still being answered: repeat after the seconds in `Retry-After`. If the detail says that its answer was lost, the request was done and will not be done again: look for what it made.",
  },
  precondition_failed: {
    status: 412,
    title: "It was changed meanwhile",
    meaning:
      "`If-Match` names an ETag that is not the current one: somebody else changed the thing since you read it. Read it again, then decide.",
  },
  too_large: {
    status: 413,
    title: "The body is too large",
    meaning: "The body is larger than this route accepts. The detail names the limit in bytes.",
  },
  unsupported_media_type: {
    status: 415,
    title: "The content type or encoding is not accepted",
    meaning:
      "Send JSON as UTF-8 (`application/json` or another JSON type), and forms only where the provider sends forms; no Content-Encoding.",
  },
  range_not_satisfiable: {
    status: 416,
    title: "The range begins behind the end",
    meaning:
      "`Range` asks for bytes that the recording does not have. `Content-Range` of the answer says how many it has.",
  },
  invalid: {
    status: 422,
    title: "A field was refused",
    meaning: "The request is well formed, its content is not accepted. `errors` names each field and what to do.",
  },
  idempotency_key_reused: {
    status: 422,
    title: "The Idempotency-Key was used for another request",
    meaning:
      "A key stands for one method, path and body. Send a new key for a new request, and for a repeat the very same bytes.",
  },
  too_many_requests: {
    status: 429,
    title: "Too many requests",
    meaning:
      "Wait for the seconds in `Retry-After`, then go on. `RateLimit-Policy` names the limit that was reached: `reads` or `writes`, so many per minute for each key or user. Without it too many wrong keys came from this address.",
  },
  headers_too_large: {
    status: 431,
    title: "The headers are too large",
    meaning: "All headers together may have 16 kB. Send shorter ones.",
  },
  internal: {
    status: 500,
    title: "Our own failure",
    meaning: "A bug in this server. Give `request_id` to its operator: the log has the cause under it.",
  },
  unavailable: {
    status: 503,
    title: "Unavailable for the moment",
    meaning:
      "The database cannot be reached or the server is starting or stopping. Nothing was stored; repeat after the seconds in `Retry-After`.",
  },
} as const satisfies Record<string, ProblemMeaning>;
export type ProblemCode = keyof typeof problems;

/** Null for a code that does not exist. */
export function problemOf(code: string): ProblemMeaning | null {
  return Object.hasOwn(problems, code) ? problems[code as ProblemCode] : null;
}
