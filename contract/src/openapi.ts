import type { Route } from "./api.ts";
import { idempotencyKeepHours } from "./idempotency.ts";
import { Session } from "./identity.ts";
import { audioPaths } from "./openapi/audio.ts";
import { compatibilitySchemas } from "./openapi/compatibility-schemas.ts";
import { compatibilityPaths } from "./openapi/compatibility.ts";
import { operationOf, pathOf, tagOf } from "./openapi/operations.ts";
import { problemResponses } from "./openapi/problems.ts";
import { createSchemas, type JsonSchema } from "./openapi/schemas.ts";
import { sessionPaths } from "./openapi/session.ts";
import { webhookHeaders, webhooksOf } from "./openapi/webhooks.ts";
import { Problem } from "./problem.ts";
import { routes } from "./routes.ts";
import { apiVersion, apiVersionHeader, apiVersions } from "./version.ts";

/** An OpenAPI 3.1 document. */
export type OpenApi = {
  readonly openapi: "3.1.1";
  readonly info: Readonly<Record<string, unknown>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly webhooks: Readonly<Record<string, unknown>>;
  readonly components: Readonly<Record<string, unknown>> & { readonly schemas: Readonly<Record<string, JsonSchema>> };
  readonly [field: string]: unknown;
};

/**
 * The whole outside of aftercall as OpenAPI 3.1, drawn from the route table and the catalogue of messages. The same contract
 * makes the same bytes: the file in docs/reference is compared with it.
 */
export function openApiOf({ version }: { version: string }): OpenApi {
  const schemas = createSchemas();
  const problem = schemas.output(Problem);
  const paths: Record<string, Record<string, unknown>> = {};
  const tags = new Set<string>();
  for (const [name, route] of Object.entries<Route>(routes)) {
    tags.add(tagOf(route.path));
    (paths[pathOf(route.path)] ??= {})[route.method.toLowerCase()] = operationOf(name, route, schemas);
  }
  const webhooks = webhooksOf(schemas);
  return {
    openapi: "3.1.1",
    info: {
      title: "aftercall",
      version,
      summary: "The one self-hosted place where a call that ended becomes a result that arrived.",
      description: introduction,
      license: { name: "MIT", identifier: "MIT" },
    },
    jsonSchemaDialect: "https://json-schema.org/draft/2020-12/schema",
    servers: [{ url: "/", description: "This server" }],
    security: [{ apiKey: [] }, { userToken: [] }],
    tags: [...[...tags].toSorted().map((name) => ({ name })), ...furtherTags],
    paths: { ...paths, ...audioPaths, ...sessionPaths(schemas.output(Session)), ...compatibilityPaths },
    webhooks,
    components: {
      schemas: { ...schemas.named(), ...compatibilitySchemas },
      responses: problemResponses(problem),
      parameters: {
        AftercallVersion: wantedVersion,
        IdempotencyKey: idempotencyKey,
        IfNoneMatch: ifNoneMatch,
        IfMatch: ifMatch,
        Traceparent: traceparent,
        ...webhookHeaders,
      },
      headers,
      securitySchemes,
    },
  };
}

const introduction =
  `Every route of /v1 takes and gives JSON in snake_case, times in RFC 3339 with milliseconds, durations in
\`*_ms\`, money as decimal text. Fields may be added to answers at any time; what is there changes only with a new
\`Aftercall-Version\`, and each API key stays with the one that it was made with.

A refused request is answered with a problem (RFC 9457): \`code\` is for programs and has a page of its own under
\`/docs/problems\`, \`errors\` names each refused field. Lists are read with \`limit\` and \`cursor\`;
\`include=total_estimate\` also says how many there are.

Send an \`Idempotency-Key\` with every POST, and it can be repeated without being done twice. Every GET has an \`ETag\`;
a PATCH with \`If-Match\` overwrites nothing that you have not seen. Requests are counted for each key or user, reads and
writes apart: \`RateLimit-Policy\` and \`RateLimit\` say what is left.

Guides, and this reference without script: [/docs/plain](/docs/plain). The live channel: [/asyncapi.json](/asyncapi.json).`.replaceAll(
    /(?<!\n)\n(?!\n)/g,
    " ",
  );

const furtherTags = [
  { name: "Session", description: "A cookie for the event stream, which a browser cannot open with a header." },
  { name: "Webhooks", description: "Where providers send what happened in a call." },
  {
    name: "Compatibility",
    description:
      "Routes of the systems that aftercall takes the place of, with their own paths, bodies and letter case. They never change.",
  },
  { name: "Health", description: "Whether a process lives, and whether it can serve." },
  { name: "Messages to your endpoints", description: "What this server sends. See also `GET /v1/event-types`." },
] as const;

const wantedVersion = {
  name: apiVersionHeader,
  in: "header",
  required: false,
  description: "The shape that is wanted, by its date. Without it that one counts which the API key was made with.",
  schema: { enum: [...apiVersions] },
  example: apiVersion,
} as const;

const idempotencyKey = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: `Makes the request safe to repeat: within ${idempotencyKeepHours} hours the same key with the same method, path and body gives the first answer again, with \`Idempotency-Replayed: true\`, and nothing is done twice. 1 to 255 printable ASCII characters, in quotes or without; a UUID is a good one. Refusals are not kept. Counts per credential.`,
  schema: { type: "string", minLength: 1, maxLength: 257 },
  example: "8e03978e-40d5-43dd-bc93-6894a57f9324",
} as const;

const ifNoneMatch = {
  name: "If-None-Match",
  in: "header",
  required: false,
  description: "The `ETag` of an earlier answer: 304 without a body while nothing has changed.",
  schema: { type: "string" },
  example: '"vJvAtPkZ1hU8mQ0XhWqY2Q"',
} as const;

const ifMatch = {
  name: "If-Match",
  in: "header",
  required: false,
  description:
    "The `ETag` of what you read: 412 when somebody changed it since, so that nobody's change is overwritten unseen.",
  schema: { type: "string" },
  example: '"vJvAtPkZ1hU8mQ0XhWqY2Q"',
} as const;

const traceparent = {
  name: "traceparent",
  in: "header",
  required: false,
  description:
    "The trace that the request belongs to (W3C Trace Context). It goes on in the deliveries of what is sent because of it; one of another form is ignored.",
  schema: { type: "string" },
  example: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
} as const;

const headers = {
  ETag: { description: "Names this answer; for `If-None-Match` and `If-Match`.", schema: { type: "string" } },
  RateLimitPolicy: {
    description: 'The limit that counts here: its name, requests (`q`) and seconds (`w`), as in `"reads";q=6000;w=60`.',
    schema: { type: "string" },
  },
  RateLimit: {
    description: 'What is left of it (`r`) and in how many seconds all of it is (`t`), as in `"reads";r=5999;t=1`.',
    schema: { type: "string" },
  },
  RequestId: {
    description: "The id of the request, also in the server's log. Yours, if you sent one.",
    schema: { type: "string" },
  },
  AftercallVersion: { description: "The shape that the answer has, by its date.", schema: { type: "string" } },
  RetryAfter: { description: "Seconds after which to come again.", schema: { type: "integer", minimum: 0 } },
  IdempotencyReplayed: {
    description: "The answer was given before and is only said again.",
    schema: { const: "true" },
  },
} as const;

const securitySchemes = {
  apiKey: {
    type: "http",
    scheme: "bearer",
    description: "An API key of this server: `ac_live_…`, or in development `ac_dev_…`.",
  },
  userToken: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "A token of a user, signed with the server's JWT_SECRET (HS256), with `exp` and `sub`.",
  },
} as const;
