import { type ProblemCode, problems } from "../problem.ts";
import type { JsonSchema } from "./schemas.ts";

const names: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  409: "Conflict",
  412: "PreconditionFailed",
  413: "TooLarge",
  415: "UnsupportedMediaType",
  416: "RangeNotSatisfiable",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "Unavailable",
};

/** Answers after which the same request may be sent again. */
const withRetryAfter = new Set([409, 429, 503]);

/** The refusals of every route, by name: one for each status, with an example for each code it can carry. */
export function problemResponses(problem: JsonSchema): Record<string, object> {
  const responses = Object.entries(names).map(([status, name]) => [name, responseOf(Number(status), problem)] as const);
  return Object.fromEntries(responses);
}

/** `{ "404": { $ref } }` for the statuses of one route. */
export function refusals(statuses: readonly number[]): Record<string, object> {
  const known = statuses.map(
    (status) => [String(status), { $ref: `#/components/responses/${names[status]}` }] as const,
  );
  return Object.fromEntries(known.toSorted(([a], [b]) => Number(a) - Number(b)));
}

function responseOf(status: number, schema: JsonSchema): object {
  const codes = (Object.keys(problems) as ProblemCode[]).filter((code) => problems[code].status === status);
  return {
    description: codes.map((code) => `\`${code}\`: ${problems[code].title}.`).join(" "),
    headers: {
      "X-Request-Id": { $ref: "#/components/headers/RequestId" },
      "Aftercall-Version": { $ref: "#/components/headers/AftercallVersion" },
      ...(withRetryAfter.has(status) && { "Retry-After": { $ref: "#/components/headers/RetryAfter" } }),
    },
    content: {
      "application/problem+json": {
        schema,
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
      },
    },
  };
}

function exampleOf(code: ProblemCode): object {
  const { status, title, meaning } = problems[code];
  return {
    type: `https://calls.example.com/docs/problems/${code}`,
    title,
    status,
    detail: meaning.split(". ")[0],
    instance: "/v1/calls",
    code,
    request_id: "0199d4c7-1d80-7c52-8f8e-2d1c51b8a6f1",
    ...(code === "invalid" && {
      errors: [{ pointer: "/name", detail: "Must have at least 1 character" }],
    }),
  };
}
