import type { Handlers } from "@aftercall/contract/api.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import type { deliveryRoutes } from "@aftercall/contract/routes/delivery.ts";

import { record } from "#/audit/record.ts";
import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { NotFound } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";

import { shownClass, shownError } from "../attempt-class.ts";
import { attempt } from "../attempt.ts";
import { createAuthorizer } from "../auth/authorize.ts";
import { renderFact } from "../formats/index.ts";
import type { HandOff, Target } from "../target.ts";
import { firstAttempt } from "../write.ts";
import type { EndpointBook } from "./book.ts";
import { aboutOf, exampleOf } from "./example.ts";
import { findEndpoint } from "./store.ts";

export type SendExampleDeps = {
  readonly db: Db;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly book: EndpointBook;
  readonly http: GuardedHttp;
  readonly userAgent: string;
};

/**
 * One attempt with an example, signed and sent as a message would be, for people who set a receiver up. It is no delivery: nothing
 * of it is kept, and the health of the endpoint does not know of it.
 */
export function sendExampleHandlers(deps: SendExampleDeps): Handlers<Pick<typeof deliveryRoutes, "testEndpoint">> {
  const { db, ids, clock, book, http, userAgent } = deps;
  const authorizer = createAuthorizer({ http, clock });
  const { signal } = new AbortController();
  return {
    async testEndpoint({ tenant, actor, params, body }) {
      const { target, type, data } = await db.inTransaction([tenant], async (tx) => {
        const row = await findEndpoint(tx, tenant, params.id, "read");
        const [found] = row ? await book.named(tx, [tenant], [params.id]) : [];
        if (!row || !found) throw new NotFound("Endpoint");
        const name = body.type ?? usualType(found);
        const example = await exampleOf(tx, tenant, name, body.language);
        const subject = toPublicId("endpoint", row.id);
        await record(tx, ids, { tenant, actor, action: "endpoint.tested", subject, detail: { type: name } });
        return { target: found, type: name, data: example };
      });
      const messageId = ids.next();
      const shownId = toPublicId("message", messageId);
      const tenantId = toPublicId("tenant", tenant);
      const fact = { messageId: shownId, tenantId, type, occurredAtMs: clock.now(), businessId: tenantId };
      const attempted = await attempt(
        {
          ...firstAttempt,
          tenantId: tenant,
          deliveryId: messageId,
          claimId: messageId,
          messageId,
          type,
          receivedAtMs: fact.occurredAtMs,
          target: marked(target),
          form: target.bodyForm,
          body: renderFact({ ...fact, about: aboutOf(data) }, target.bodyForm),
          orderKey: null,
        } satisfies HandOff,
        { http, clock, userAgent, authorizer, signal },
      );
      if (!attempted) throw new Error("a test was ended by nobody");
      return {
        message_id: shownId,
        type,
        url: target.url,
        started_at: new Date(attempted.startedAtMs).toISOString(),
        duration_ms: Math.round(attempted.durationMs),
        status: attempted.status,
        class: shownClass(attempted.class),
        error: shownError(attempted.class),
        request_headers: attempted.sent,
        response_headers: shownHeaders(attempted.headers),
        response_body: attempted.headers && attempted.body.toString("utf8"),
      };
    },
  };
}

/** The first type that it names, else the one that most receivers are written for. */
function usualType({ types, kind }: Target): string {
  const named = types.find((type) => !type.includes("*"));
  return named ?? (kind === "operational" ? "endpoint.disabled" : "call.completed");
}

/** Receivers can tell a test from a message that says something. */
function marked(target: Target): Target {
  return { ...target, headers: [...target.headers, { name: "aftercall-test", value: "true", is_sensitive: false }] };
}

function shownHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>> | null,
): Record<string, string | string[]> | null {
  if (!headers) return null;
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
