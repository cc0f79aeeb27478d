import { idempotencyKeyHeader, idempotencyReplayedHeader } from "@aftercall/contract/idempotency.ts";
import { apiVersionHeader } from "@aftercall/contract/version.ts";
import type { FastifyInstance } from "fastify";

/**
 * Lets pages of configured origins use the API from a browser (https://fetch.spec.whatwg.org/#http-cors-protocol). The
 * credential is a bearer token that the page itself holds, so no other page can borrow it; a cookie goes along only where the
 * stream is opened and its session made. For all other origins nothing is said, and their browsers keep the answers from them.
 */
export function registerCors(app: FastifyInstance, allowedOrigins: ReadonlySet<string>): void {
  app.addHook("onRequest", async (request, reply) => {
    const { origin } = request.headers;
    if (!isApi(request.url)) return;
    if (allowedOrigins.size > 0) reply.header("vary", "Origin");
    if (origin === undefined || !allowedOrigins.has(origin)) return;
    reply.header("access-control-allow-origin", origin);
    if (isOfSession(request.url)) reply.header("access-control-allow-credentials", "true");
    const isPreflight = request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined;
    if (!isPreflight) return void reply.header("access-control-expose-headers", exposed);
    return reply
      .code(204)
      .headers({
        "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
        "access-control-allow-headers": accepted,
        "access-control-max-age": "600",
      })
      .send();
  });
}

/** What pages use: /v1, and the read route of the Call Outcomes API. */
function isApi(url: string): boolean {
  return /^\/(?:v1|api\/calls)\//.test(url);
}

function isOfSession(url: string): boolean {
  return /^\/v1\/(?:stream|session)(?:\?|$)/.test(url);
}

const accepted = [
  "Authorization",
  "Content-Type",
  "If-Match",
  "If-None-Match",
  "Last-Event-ID",
  "X-Request-Id",
  "Traceparent",
  apiVersionHeader,
  idempotencyKeyHeader,
].join(", ");

const exposed = [
  "ETag",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "X-Request-Id",
  apiVersionHeader,
  idempotencyReplayedHeader,
].join(", ");
