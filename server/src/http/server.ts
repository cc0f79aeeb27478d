import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";

import type { Clock } from "#/kernel/clock.ts";
import { AppError, NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { Log } from "#/kernel/log.ts";
import type { Metrics } from "#/kernel/metrics.ts";

import { type BodyLimits, checkContent, type ContentKind, createBodyBudget, hasBody, readBody } from "./body.ts";
import { createRouteMap } from "./methods.ts";
import { refusalFor } from "./problem.ts";
import { hostProblem, pathOf, refuseConnection, requestIdOf } from "./wire.ts";

export type ServerOptions = {
  /** Without a slash at its end: `https://calls.example.com`. */
  readonly publicUrl: string;
  /** Addresses or CIDR ranges of proxies whose X-Forwarded-For counts; none: the peer's own address counts. */
  readonly trustedProxies: readonly string[];
  readonly limits?: Partial<HttpLimits>;
  readonly log: Log;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly metrics: Metrics;
};

/** Every limit of the HTTP server. Times in milliseconds, sizes in bytes. */
export type HttpLimits = {
  /** From the first byte of a request to the last of its body. */
  readonly requestMs: number;
  /** From the first byte of a request to the end of its headers. */
  readonly headersMs: number;
  /** Silence on a connection. Above the longest answer we may take (25 s, training feedback). */
  readonly idleMs: number;
  /** An open connection without a request. Above the idle time of a load balancer, where there is one. */
  readonly keepAliveMs: number;
  readonly headerBytesMax: number;
  /** Routes that do not say otherwise. */
  readonly bodyBytesMax: number;
  /** All bodies over 1 MB that are being received at one time. */
  readonly largeBodiesBytesMax: number;
  readonly paramLengthMax: number;
  /** How long a client that is still sending a refused body may take to read the answer. */
  readonly lingerMs: number;
};

export const httpLimits: HttpLimits = {
  requestMs: 10_000,
  headersMs: 8_000,
  idleMs: 60_000,
  keepAliveMs: 5_000,
  headerBytesMax: 16_384,
  bodyBytesMax: 1_000_000,
  largeBodiesBytesMax: 256_000_000,
  paramLengthMax: 200,
  lingerMs: 1_000,
};

declare module "fastify" {
  interface FastifyRequest {
    /** Fields for the one log line of this request; never bodies, secrets or phone numbers. */
    facts: Record<string, string | number | boolean | null>;
    startedAt: number;
    /** What this request may send; set by a route's onRequest hook, before the body is read. */
    content: { accepts: readonly ContentKind[] } & BodyLimits;
  }
}

/**
 * Fastify as it has to be on the open internet. Its own defaults have no request timeout, take two Host headers, hand
 * compressed bytes to parsers and answer 415 to LiveKit; each option here closes one of these.
 */
export function createServer(options: ServerOptions): FastifyInstance {
  const limits = { ...httpLimits, ...options.limits };
  const app = Fastify({
    logger: false,
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.idleMs,
    keepAliveTimeout: limits.keepAliveMs,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    bodyLimit: limits.bodyBytesMax,
    trustProxy: options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    routerOptions: { maxParamLength: limits.paramLengthMax, caseSensitive: true, ignoreTrailingSlash: false },
    http: {
      headersTimeout: limits.headersMs,
      // Node looks for slow requests only this often; its default of 30 s makes shorter limits late.
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: limits.headerBytesMax,
      insecureHTTPParser: false,
      // Java and curl offer to upgrade a plain POST to HTTP/2; taken for an upgrade, the body of a webhook would be lost.
      shouldUpgradeCallback: (raw) =>
        raw.method === "GET" && raw.headers.upgrade?.toLowerCase() === "websocket" && socketPaths.test(pathOf(raw)),
    },
    genReqId: (raw) => requestIdOf(raw) ?? options.ids.next(),
    // These come before any hook, so they begin and account for the request themselves.
    frameworkErrors: (error, request, reply) => {
      begin(request);
      refuse(error, request, reply);
      account(request, reply.statusCode);
    },
    clientErrorHandler: refuseConnection,
  });

  const budget = createBodyBudget(limits.largeBodiesBytesMax);
  const bytes: FastifyRequest["content"] = { accepts: ["json"], bytesMax: limits.bodyBytesMax };
  app.decorateRequest("facts");
  app.decorateRequest("content");
  app.decorateRequest("startedAt", 0);
  const routeMap = createRouteMap();
  app.addHook("onRoute", (route) => routeMap.add(route.method, route.url));

  // Bytes stay bytes: a signature is over what was sent, and only the handler knows what it means.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (request: FastifyRequest, payload: IncomingMessage) =>
    request.is404 ? Promise.resolve(undefined) : readBody(payload, request.content, budget),
  );

  app.addHook("onRequest", (request, reply, done) => {
    begin(request);
    reply.headers(baseHeaders);
    reply.header("x-request-id", request.id);
    done(hostProblem(request.raw) ?? undefined);
  });
  app.addHook("preParsing", (request, _reply, payload, done) => {
    try {
      if (!request.is404 && (hasBody(request.headers) || request.headers["content-type"] !== undefined)) {
        checkContent(request.headers, request.content.accepts);
      }
      done(null, payload);
    } catch (error) {
      done(error as Error);
    }
  });
  app.addHook("onResponse", (request, reply, done) => {
    account(request, reply.statusCode);
    done();
  });
  app.addHook("onRequestAbort", (request, done) => {
    account(request, 499);
    done();
  });

  app.setErrorHandler((error, request, reply) => refuse(error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const allowed = routeMap.methodsFor(pathOf(request.raw));
    if (allowed.length === 0) return refuse(new NotFound("Path"), request, reply);
    reply.header("allow", allowed.join(", "));
    const message = `${request.method} is not possible here; use ${allowed.join(" or ")}`;
    return refuse(new AppError(405, "method_not_allowed", message), request, reply);
  });
  return app;

  function begin(request: FastifyRequest): void {
    request.facts = {};
    request.startedAt = options.clock.monotonic();
    request.content = bytes;
  }

  function refuse(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const context = { publicUrl: options.publicUrl, path: pathOf(request.raw), requestId: request.id };
    const { problem, headers, isBug } = refusalFor(thrown, context);
    if (isBug) options.log.error({ request_id: request.id, err: thrown }, "request failed");
    request.facts["code"] = problem.code;
    if (hasBody(request.raw.headers) && !request.raw.complete) closeAfterAnswer(request.raw.socket, reply);
    return reply
      .code(problem.status)
      .headers({ ...baseHeaders, ...headers, "cache-control": "no-store", "content-type": "application/problem+json" })
      .send(JSON.stringify(problem));
  }

  /** Somebody who is still sending would lose the answer to a reset: the connection stays half open for a moment, unread. */
  function closeAfterAnswer(socket: Socket, reply: FastifyReply): void {
    reply.header("connection", "close");
    socket.destroySoon = () => {
      socket.end();
      void options.clock.sleep(limits.lingerMs).then(() => socket.destroy());
    };
  }

  /** The one line of a request, and its measurement. Route patterns, not paths: a path may hold a number or a name. */
  function account(request: FastifyRequest, status: number): void {
    const route = request.routeOptions.url ?? "none";
    const ms = options.clock.monotonic() - request.startedAt;
    options.metrics.httpSeconds.observe({ method: request.method, route, status: String(status) }, ms / 1000);
    options.log.info(
      {
        request_id: request.id,
        method: request.method,
        route,
        status,
        ms: Math.round(ms * 10) / 10,
        ip: request.ip,
        ...request.facts,
      },
      "request",
    );
  }
}

/** Stops accepting, lets requests in flight finish, and cuts what is left after `graceMs`. */
export async function closeServer(app: FastifyInstance, clock: Clock, graceMs = 20_000): Promise<void> {
  const done = new AbortController();
  const closed = app.close().finally(() => done.abort());
  void clock.sleep(graceMs, done.signal).then(() => app.server.closeAllConnections());
  await closed;
}

/** Where WebSockets are: the live channel, and the media streams of calls. */
const socketPaths = /^\/(?:v1\/ws|webhooks\/[^/]+\/stream)$/;

const baseHeaders = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
} as const;
