import type { ServerResponse } from "node:http";

import type { FastifyInstance, FastifyRequest } from "fastify";

import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { type FieldError, Forbidden, Invalid, Unauthorized } from "#/kernel/errors.ts";
import { campaignsNamed } from "#/live/campaign-names.ts";
import { followDeliveries } from "#/live/follow.ts";
import type { Hub } from "#/live/hub.ts";
import { deliveriesKey } from "#/live/identify.ts";
import { liveLimits } from "#/live/limits.ts";
import { mergedCalls } from "#/live/merged.ts";
import type { Resume } from "#/live/resume.ts";
import type { Visitor } from "#/live/socket.ts";
import { createStream, keysOfTopic, type Outlet } from "#/live/stream.ts";

import { hasScope, requireScope } from "./access.ts";
import { admit, type AdmitOptions } from "./admit.ts";
import type { Caller } from "./auth.ts";
import type { SessionCookies } from "./session-cookie.ts";
import { headersOf } from "./wire.ts";

export type OriginOptions = {
  /** Whether a page of this origin may listen. A request without one comes from no browser, or from a page of our own. */
  readonly isAllowedOrigin: (origin: string, host: string | undefined) => boolean;
};

export type LiveRouteOptions = AdmitOptions &
  OriginOptions & {
    readonly hub: Hub;
    readonly resume: Resume;
    readonly db: Db;
    readonly clock: Clock;
  };

export type StreamRouteOptions = LiveRouteOptions & { readonly sessions: SessionCookies };

/** `GET /v1/stream`: server-sent events that a client goes on with after a cut, from its `Last-Event-ID`. */
export function registerStream(app: FastifyInstance, options: StreamRouteOptions): void {
  const { hub, db, clock, resume, sessions } = options;
  app.get<{ Querystring: Record<string, unknown> }>("/v1/stream", async (request, reply) => {
    checkOrigin(request, options);
    const { authorization, credential } = shownBy(request, sessions);
    const visitor = visitorOf(await admit(request, reply, options, authorization));
    const keys = await keysIn(request.query, db, visitor);
    const toldSince = keys.includes(deliveriesKey) ? await followDeliveries(db, visitor.tenantId) : null;
    const stream = createStream({
      ...visitor,
      credential,
      keys,
      interests: hub.interests,
      left: hub.leave,
    });
    const cursor = lastEventIdOf(request);
    // Who has a cursor is told at the moment of entering what was missed, so what its calls became has to be known by then.
    const merged = cursor === null ? [] : await mergedCalls(db, visitor.tenantId, keys);
    const { here, giveMissed } = await hub.enter(stream, (place) => {
      hub.interests.add(visitor.tenantId, stream, keys);
      for (const { from, to } of merged) stream.follow(from, to);
      return { here: place, giveMissed: cursor === null ? null : resume(stream, cursor, place, { toldSince }) };
    });

    const { raw } = reply;
    raw.once("close", () => stream.close());
    if (raw.destroyed) return stream.close();
    reply.hijack();
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
      // Nothing can follow on the connection, so it is over when the stream is.
      connection: "close",
    });
    stream.open(outletOf(raw, clock), cursor === null ? here : null);
    if (giveMissed) await giveMissed();
    else for (const { from, to } of await mergedCalls(db, visitor.tenantId, keys)) stream.follow(from, to);
    stream.goLive();
  });
}

/** Whose changes a credential may see. @throws Forbidden for a key whose scopes leave calls out */
export function visitorOf({ tenant, actor }: Caller): Visitor {
  requireScope(actor, "calls", "read");
  const seesDeliveries = actor.kind !== "embed" && hasScope(actor, "deliveries", "read");
  return { tenantId: tenant, businessId: actor.businessId ?? null, seesDeliveries };
}

/** @throws Forbidden for a page that nobody allowed */
export function checkOrigin(request: FastifyRequest, { isAllowedOrigin }: OriginOptions): void {
  const { origin, host } = request.headers;
  if (origin !== undefined && !isAllowedOrigin(origin, host)) {
    throw new Forbidden("Pages of this origin may not listen; AFTERCALL_ALLOWED_ORIGINS names those that may");
  }
}

/** What somebody showed: the header, else the session that their browser sends along; and how to look at it again. */
function shownBy(request: FastifyRequest, sessions: SessionCookies) {
  const [header, ...others] = headersOf(request.raw).get("authorization") ?? [];
  if (header !== undefined) return { authorization: [header, ...others], credential: header };
  const session = sessions.find(request.raw);
  if (session === null) return { authorization: [], credential: "" };
  const authorization = sessions.authorizationIn(session);
  // A browser that knows SameSite sends none from elsewhere; this is for those that do not.
  if (authorization === null || request.headers["sec-fetch-site"] === "cross-site") {
    throw new Unauthorized("The session is over, or of another page; PUT /v1/session makes one");
  }
  return { authorization: [authorization], credential: sessionScheme + session };
}

/** Before a session where a credential is kept as it was shown. */
export const sessionScheme = "Session ";

async function keysIn(query: Record<string, unknown>, db: Db, visitor: Visitor): Promise<string[]> {
  const errors: FieldError[] = Object.keys(query)
    .filter((name) => name !== "topics")
    .map((name) => ({ pointer: `?${name}`, detail: "This field does not exist here" }));
  const given = query["topics"] ?? "calls";
  const topics = typeof given === "string" ? given.split(",") : [];
  const prefix = "campaign:";
  const names = topics.filter((topic) => topic.startsWith(prefix)).map((topic) => topic.slice(prefix.length));
  const campaigns = await campaignsNamed(db, visitor, names.slice(0, liveLimits.topicsMax));
  const known = topics.map((topic) => keysOfTopic(topic, campaigns));
  if (topics.length === 0 || topics.length > liveLimits.topicsMax || known.includes(null)) {
    const detail = `Topics are calls, call:<id>, campaign:<id of a campaign, or its external id> and deliveries, with commas, at most ${liveLimits.topicsMax}`;
    errors.push({ pointer: "?topics", detail });
  }
  if (errors.length > 0) throw new Invalid("The request has fields that are not accepted; errors names them", errors);
  const keys = [...new Set(known.flatMap((some) => some ?? []))];
  if (keys.includes(deliveriesKey) && !visitor.seesDeliveries) {
    throw new Forbidden("This credential may not see deliveries: the topic needs the scope deliveries:read");
  }
  return keys;
}

/** Empty means none: a page that never got a cursor sends it so. */
function lastEventIdOf({ headers }: FastifyRequest): string | null {
  const id = headers["last-event-id"];
  return typeof id === "string" && id !== "" ? id : null;
}

function outletOf(raw: ServerResponse, clock: Clock): Outlet {
  return {
    write: (bytes) => void raw.write(bytes),
    get pendingBytes() {
      return raw.writableLength;
    },
    end() {
      raw.end();
      void clock.sleep(liveLimits.partingMs).then(() => raw.destroy());
    },
  };
}
