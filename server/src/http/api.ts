import { type Actor, type Handlers, needsNoBody, type Route } from "@aftercall/contract/api.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";

import { type FieldError, Invalid, Malformed, NotFound, PreconditionFailed } from "#/kernel/errors.ts";
import { refusalWords } from "#/kernel/refusal-words.ts";
import { readJsonObject } from "#/providers/json.ts";
import { MalformedBody } from "#/providers/provider.ts";

import { absent } from "./absent.ts";
import { requireAccess } from "./access.ts";
import { admit, type AdmitOptions } from "./admit.ts";
import type { Caller } from "./auth.ts";
import { StreamedBody } from "./body.ts";
import type { CursorPlace, Cursors } from "./cursors.ts";
import { etagOf, names } from "./etag.ts";
import { type ApiAnswer, fingerprintOf, type Idempotency, readIdempotencyKey } from "./idempotency.ts";
import { sendLines } from "./lines.ts";
import { haveTime, headersOf, targetOf } from "./wire.ts";

export type ApiOptions<Table extends Record<string, Route>> = AdmitOptions & {
  readonly routes: Table;
  readonly handlers: Handlers<Table>;
  /** What makes the cursors of lists opaque. */
  readonly cursors: Cursors;
  /** What makes a POST safe to send again; without it the header counts for nothing. */
  readonly idempotency?: Idempotency;
};

/**
 * Turns the contract's route table into HTTP. Each request goes: credential (401) → rate (429) → role (403) → JSON (400) →
 * ids in the path (404) → query and body (422) → Idempotency-Key of a POST → handler → output by its schema, so that nothing
 * leaves that the contract does not name.
 */
export function registerApi<Table extends Record<string, Route>>(
  app: FastifyInstance,
  options: ApiOptions<Table>,
): void {
  for (const [name, route] of Object.entries(options.routes)) {
    const handle = handlerOf(options.handlers, name);
    app.route({
      method: route.method,
      url: route.path,
      onRequest: async (request, reply) => {
        const bytesMax = route.bodyBytesMax ?? request.content.bytesMax;
        request.content = route.bodyLines
          ? { accepts: ["ndjson"], bytesMax: 0, streamedBytesMax: bytesMax }
          : { ...request.content, bytesMax };
        const caller = await admit(request, reply, options);
        requireAccess(caller.actor, route);
        if (route.bodyLines) haveTime(request.raw);
      },
      handler: async (request, reply) => {
        const body = route.body ? bodyIn(request, route) : undefined;
        const params = route.params ? checkParams(route.params, request.params) : undefined;
        const errors: FieldError[] = [];
        const query = route.query ? check(route.query, request.query, "?", errors) : undefined;
        const input = route.body ? check(route.body, body, "/", errors) : undefined;
        if (errors.length > 0)
          throw new Invalid("The request has fields that are not accepted; errors names them", errors);
        const { tenant, actor } = callerOf(request);
        const place = { tenant, path: route.path, query: request.query as CursorPlace["query"] };
        const condition = conditionOf(route, headersOf(request.raw).get("if-match") ?? []);
        const opened = openCursor(query, place);
        const ask = { tenant, actor, params, query: opened, ifMatch: condition.check };
        if (route.media === "application/x-ndjson") {
          const lines = (await handle({ ...ask, body: input })) as AsyncIterable<unknown>;
          return sendLines(reply, lines, (line) => lineOf(route, line, place));
        }
        const work = async () => {
          const result = await handle({ ...ask, body: route.bodyLines ? streamIn(request) : input });
          condition.mustBeChecked();
          return answerOf(route, sealCursor(result, place));
        };
        return send(request, reply, await once(request, work), route.media ?? "application/json");
      },
    });
  }

  function openCursor(query: unknown, place: CursorPlace): unknown {
    if (!isObject(query) || typeof query["cursor"] !== "string") return query;
    return { ...query, cursor: options.cursors.open(query["cursor"], place) };
  }

  function sealCursor(result: unknown, place: CursorPlace): unknown {
    if (!isObject(result) || typeof result["next_cursor"] !== "string") return result;
    return { ...result, next_cursor: options.cursors.seal(result["next_cursor"], place) };
  }

  function lineOf(route: Route, line: unknown, place: CursorPlace): string {
    const shown = route.output.parse(line) as Record<string, unknown>;
    const { cursor } = shown;
    return JSON.stringify(
      typeof cursor === "string" ? { ...shown, cursor: options.cursors.seal(cursor, place) } : shown,
    );
  }

  async function once(request: FastifyRequest, work: () => Promise<ApiAnswer>): Promise<Sent> {
    if (!options.idempotency || request.method !== "POST") return work();
    const key = readIdempotencyKey(headersOf(request.raw).get("idempotency-key") ?? []);
    if (key === null) return work();
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const fingerprint = fingerprintOf(request.method, targetOf(request.raw), body);
    return options.idempotency.answer({ caller: callerOf(request), key, fingerprint }, work);
  }
}

type Sent = ApiAnswer & { readonly isReplay?: boolean };

type AnyHandler = (request: {
  tenant: string;
  actor: Actor;
  params: unknown;
  query: unknown;
  body: unknown;
  ifMatch: (current: unknown) => void;
}) => Promise<unknown>;

/** The one place where the table's types are given up: the loop above hands each handler what its own route parsed. */
function handlerOf<Table extends Record<string, Route>>(handlers: Handlers<Table>, name: string): AnyHandler {
  return handlers[name] as unknown as AnyHandler;
}

function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new Error("A route of /v1 ran without its onRequest hook");
  return request.caller;
}

/** `If-Match` of a PATCH. A handler that never asked about it would overwrite what the caller has not seen. */
function conditionOf(route: Route, given: readonly string[]) {
  let isChecked = false;
  return {
    check(current: unknown): void {
      isChecked = true;
      if (names(given, etagOf(JSON.stringify(route.output.parse(current)))) === false) throw new PreconditionFailed();
    },
    mustBeChecked(): void {
      if (route.method === "PATCH" && given.length > 0 && !isChecked)
        throw new Error(`${route.path} has changed something without ifMatch`);
    },
  };
}

/** A body that is read as it comes. One without a byte never begins. */
function streamIn({ body }: FastifyRequest): AsyncIterable<Uint8Array> {
  return body instanceof StreamedBody ? body : nothing();
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function bodyIn({ body: bytes }: FastifyRequest, route: Route): unknown {
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) {
    if (needsNoBody(route)) return {};
    throw new Malformed("The body must be a JSON object");
  }
  try {
    return readJsonObject(bytes);
  } catch (error) {
    if (error instanceof MalformedBody) throw new Malformed(error.message);
    throw error;
  }
}

function checkParams(schema: z.ZodType, given: unknown): unknown {
  // No name of anything holds a NUL, and the database refuses the very question.
  if (Object.values(given ?? {}).some((part) => typeof part === "string" && part.includes("\0"))) {
    throw new NotFound("Path");
  }
  const result = schema.safeParse(given);
  if (!result.success) throw absent(result.error);
  return result.data;
}

function check(schema: z.ZodType, given: unknown, prefix: "/" | "?", errors: FieldError[]): unknown {
  const result = schema.safeParse(given, { error: refusalWords });
  if (result.success) return result.data;
  errors.push(...result.error.issues.flatMap((issue) => fieldErrors(issue, prefix)));
  return undefined;
}

/** A refused field: `/setup/name` in the body (JSON pointer, RFC 6901), `?limit` in the query. */
function fieldErrors(issue: z.core.$ZodIssue, prefix: "/" | "?"): FieldError[] {
  const parts = issue.path.map((part) => String(part).replaceAll("~", "~0").replaceAll("/", "~1"));
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      pointer: prefix + [...parts, key].join("/"),
      detail: "This field does not exist here",
    }));
  }
  // Of a name that is refused, what is wrong with it stands one level deeper.
  const detail = issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return [{ pointer: parts.length === 0 && prefix === "/" ? "" : prefix + parts.join("/"), detail }];
}

function answerOf(route: Route, result: unknown): ApiAnswer {
  const status = route.status ?? 200;
  if (status === 204) return { status, body: "" };
  const output = route.output.parse(result);
  return { status, body: route.media === undefined ? JSON.stringify(output) : String(output) };
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, body, isReplay }: Sent,
  media: string,
): FastifyReply {
  reply.code(status).header("cache-control", "no-store");
  if (request.method === "GET" || request.method === "PATCH") {
    const etag = etagOf(body);
    reply.header("etag", etag);
    const known = headersOf(request.raw).get("if-none-match") ?? [];
    if (request.method === "GET" && names(known, etag, true)) return reply.code(304).send();
  }
  if (isReplay) reply.header("idempotency-replayed", "true");
  if (status === 204) return reply.send();
  return reply.type(`${media}; charset=utf-8`).send(body);
}
