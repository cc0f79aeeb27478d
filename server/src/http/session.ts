import { toPublicId } from "@aftercall/contract/id.ts";
import type { Session } from "@aftercall/contract/identity.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { record } from "#/audit/record.ts";
import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { Forbidden, Malformed, Unauthorized } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";

import { admit, type AdmitOptions } from "./admit.ts";
import { checkOrigin, type OriginOptions } from "./live-stream.ts";
import type { SessionCookies } from "./session-cookie.ts";
import { headersOf } from "./wire.ts";

export type SessionRouteOptions = AdmitOptions &
  OriginOptions & {
    readonly sessions: SessionCookies;
    readonly db: Db;
    readonly ids: Ids;
    readonly clock: Clock;
  };

/**
 * `PUT /v1/session` gives a browser a cookie for the credential that it shows, `DELETE` takes it away. The cookie opens
 * `GET /v1/stream` and nothing else: an EventSource cannot send a header, everything else can.
 */
export function registerSession(app: FastifyInstance, options: SessionRouteOptions): void {
  const { sessions, db, ids, clock } = options;

  app.put("/v1/session", async (request, reply) => {
    checkOrigin(request, options);
    const { tenant, actor } = await admit(request, reply, options);
    const until = clock.now() + limits.sessionMs;
    const cookie = sessions.set(headersOf(request.raw).get("authorization")?.[0] ?? "", until);
    if (cookie === null) throw new Malformed("The token is too long for a cookie; an API key is not", "bad_request");
    const session: Session = { expires_at: new Date(until).toISOString() };
    await db.inTransaction([tenant], (tx) =>
      record(tx, ids, {
        tenant,
        actor,
        action: "session.created",
        subject: toPublicId("tenant", tenant),
        after: session,
      }),
    );
    return reply.headers({ "set-cookie": cookie, "cache-control": "no-store" }).send(session);
  });

  app.delete("/v1/session", async (request, reply) => {
    const session = sessions.find(request.raw);
    if (session !== null) {
      // Strict cookies come from our own site only; and among its pages from those that may listen.
      if (request.headers.origin === undefined)
        throw new Forbidden("A session is ended by a page, which says its origin");
      checkOrigin(request, options);
      await recordEnd(request, reply, sessions.authorizationIn(session));
    }
    return reply.code(204).headers({ "set-cookie": sessions.clear(), "cache-control": "no-store" }).send();
  });

  /** One that counts no more is ended all the same; there is nobody to say who did it. */
  async function recordEnd(request: FastifyRequest, reply: FastifyReply, authorization: string | null): Promise<void> {
    if (authorization === null) return;
    try {
      const { tenant, actor } = await admit(request, reply, options, [authorization]);
      const subject = toPublicId("tenant", tenant);
      await db.inTransaction([tenant], (tx) => record(tx, ids, { tenant, actor, action: "session.ended", subject }));
    } catch (error) {
      if (!(error instanceof Unauthorized)) throw error;
    }
  }
}
