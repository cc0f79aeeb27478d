import type { z } from "zod";

import { needsNoBody, type Route } from "../api.ts";
import { refusals } from "./problems.ts";
import type { JsonSchema, Schemas } from "./schemas.ts";

/** One route of /v1 as OpenAPI describes it. */
export function operationOf(name: string, route: Route, schemas: Schemas): object {
  const parameters = parametersOf(route, schemas);
  return {
    operationId: name,
    tags: [tagOf(route.path)],
    summary: route.summary,
    description: descriptionOf(route),
    ...(parameters.length > 0 && { parameters }),
    ...(route.body && {
      requestBody: {
        required: !needsNoBody(route),
        content: { "application/json": { schema: schemas.input(route.body) } },
      },
    }),
    ...(route.bodyLines && {
      requestBody: { required: true, content: { [ndjson]: { schema: linesOf(schemas.input(route.bodyLines)) } } },
    }),
    responses: {
      [String(route.status ?? 200)]: successOf(route, schemas),
      ...(hasTag(route) &&
        route.method === "GET" && { 304: { description: "It is as `If-None-Match` says.", headers: commonHeaders } }),
      ...refusals(statusesOf(route)),
    },
  };
}

const ndjson = "application/x-ndjson";

/** A text with a JSON object on each line. */
function linesOf(line: JsonSchema): JsonSchema {
  return {
    type: "string",
    description: "A JSON object on each line, each as `contentSchema` says, with LF between them.",
    contentMediaType: ndjson,
    contentSchema: line,
  };
}

function descriptionOf({ role, bodyLines, media }: Route): string {
  const sentences = [
    `Needs the role \`${role}\` or a higher one.`,
    bodyLines && "The body is read as it comes and never held, so an `Idempotency-Key` is not compared with it.",
    media === ndjson && "Lines come as they are read; one that breaks off in the middle was the last.",
  ];
  return sentences.filter(Boolean).join(" ");
}

/** What is written as it is read has no `ETag`: that is a digest of the whole. */
function hasTag({ method, media }: Route): boolean {
  return (method === "GET" && media !== ndjson) || method === "PATCH";
}

/** `/v1/calls/:id` → `/v1/calls/{id}`. */
export function pathOf(path: string): string {
  return path.replace(/:([a-z_]+)/g, "{$1}");
}

/** `/v1/training-sessions/:id` → `Training sessions`. */
export function tagOf(path: string): string {
  const words = (path.split("/")[2] ?? "").replaceAll("-", " ").replace(/^api /, "API ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function parametersOf(route: Route, schemas: Schemas): object[] {
  return [
    ...fieldsOf(route.params, schemas).map(({ name, schema }) => ({ name, in: "path", required: true, schema })),
    ...fieldsOf(route.query, schemas).map(({ name, schema, isRequired }) => {
      const { description, ...rest } = schema;
      return {
        name,
        in: "query",
        required: isRequired,
        ...(description !== undefined && { description }),
        schema: rest,
      };
    }),
    ...["AftercallVersion", ...conditionsOf(route)].map((name) => ({ $ref: `#/components/parameters/${name}` })),
  ];
}

/** The headers that make a request conditional or safe to repeat, or name its trace. */
function conditionsOf(route: Route): string[] {
  if (route.method === "POST") return ["IdempotencyKey", ...(route.isTraced ? ["Traceparent"] : [])];
  if (!hasTag(route)) return [];
  return route.method === "PATCH" ? ["IfMatch"] : ["IfNoneMatch"];
}

function fieldsOf(
  schema: z.ZodType | undefined,
  schemas: Schemas,
): { name: string; schema: JsonSchema; isRequired: boolean }[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = schemas.input(schema) as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, field]) => ({
    name,
    schema: field,
    isRequired: required.includes(name),
  }));
}

function successOf(route: Route, schemas: Schemas): object {
  const headers = {
    ...commonHeaders,
    ...(hasTag(route) && { ETag: { $ref: "#/components/headers/ETag" } }),
    ...(route.method === "POST" && { "Idempotency-Replayed": { $ref: "#/components/headers/IdempotencyReplayed" } }),
  };
  if (route.status === 204) return { description: "Done; there is nothing to say.", headers };
  const description = { 200: "The answer.", 201: "Made.", 202: "Taken in; the work goes on." }[route.status ?? 200];
  const media = route.media ?? "application/json";
  const schema = schemas.output(route.output);
  return { description, headers, content: { [media]: { schema: media === ndjson ? linesOf(schema) : schema } } };
}

const commonHeaders = {
  "X-Request-Id": { $ref: "#/components/headers/RequestId" },
  "Aftercall-Version": { $ref: "#/components/headers/AftercallVersion" },
  "RateLimit-Policy": { $ref: "#/components/headers/RateLimitPolicy" },
  RateLimit: { $ref: "#/components/headers/RateLimit" },
} as const;

/** What a route can refuse with, from what it reads. */
function statusesOf({ method, path, params, query, body, bodyLines, canConflict }: Route): number[] {
  const isPost = method === "POST";
  const statuses = [400, 401, 429, 500, 503];
  // What a credential stands for it may always ask.
  if (path !== "/v1/whoami") statuses.push(403);
  if (body || bodyLines) statuses.push(413, 415);
  if (body || query || isPost) statuses.push(422);
  if (params) statuses.push(404);
  if (isPost || canConflict) statuses.push(409);
  if (method === "PATCH") statuses.push(412);
  return statuses;
}
