import { fromPublicId } from "@aftercall/contract/id.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { Person } from "#/http/auth.ts";
import type { GuardedPersons } from "#/http/guesses.ts";
import type { Rate } from "#/http/rate.ts";
import { headersOf } from "#/http/wire.ts";
import type { Clock } from "#/kernel/clock.ts";
import { TooMany, Unauthorized } from "#/kernel/errors.ts";
import type { Log } from "#/kernel/log.ts";

import { callLogOf, type CallForOutcome } from "./call-log.ts";

export type FindCallForUser = (wanted: {
  readonly tenantIds: readonly string[];
  readonly userExternalId: string;
  /** UUID of the call. */
  readonly id: string;
}) => Promise<CallForOutcome | null>;

export type OutcomeOptions = {
  readonly auth: GuardedPersons;
  readonly findCallForUser: FindCallForUser;
  /** Requests of one user; the API names 1,000 per minute. */
  readonly rate: Rate;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * The read side of the Call Outcomes API 1.0.0 (LiveKit): paths, bodies and order of checks are kept byte for byte, so a
 * client written for it works unchanged. It answers for calls of every provider.
 */
export function registerOutcome(app: FastifyInstance, options: OutcomeOptions): void {
  app.get("/api/webhooks/call_completed/health", async () => ({
    status: "healthy",
    service: "call_outcomes",
    version: "1.0.0",
    timestamp: new Date(options.clock.now()).toISOString(),
  }));

  app.get<{ Params: { id: string }; Querystring: Record<string, unknown> }>(
    "/api/calls/:id/outcome",
    async (request, reply) => {
      reply.header("cache-control", "no-store");
      try {
        const person = await personOf(request);
        if (!person) {
          reply.header("www-authenticate", "Bearer");
          return refuse(reply, 401, { error: "Unauthorized", message: "Invalid or expired JWT token", status: 401 });
        }
        if (!options.rate.take(person.externalId)) {
          return tooMany(reply, options.rate.retryAfterSeconds(person.externalId));
        }
        const userId = request.query["user_id"];
        if (Array.isArray(userId)) {
          return refuse(reply, 400, { error: "Parameter must be given once: user_id", status: 400 });
        }
        if (typeof userId !== "string" || userId === "") {
          return refuse(reply, 400, { error: "Missing required parameter: user_id", status: 400 });
        }
        const call = await callOf(person, userId, request.params.id);
        if (!call) return refuse(reply, 404, { error: "Call not found", call_id: request.params.id, status: 404 });
        return callLogOf(call);
      } catch (error) {
        if (error instanceof TooMany) return tooMany(reply, error.retryAfterSeconds);
        options.log.error({ request_id: request.id, err: error }, "call outcome failed");
        reply.header("retry-after", "5");
        return refuse(reply, 500, { error: "Internal server error", status: 500 });
      }
    },
  );

  async function personOf(request: FastifyRequest): Promise<Person | null> {
    try {
      return await options.auth.person(headersOf(request.raw).get("authorization") ?? [], request.ip);
    } catch (error) {
      if (error instanceof Unauthorized) return null;
      throw error;
    }
  }

  /** `user_id` selects, the token decides: what is not the person's own does not exist for them. */
  async function callOf(person: Person, userId: string, callId: string): Promise<CallForOutcome | null> {
    const id = fromPublicId("call", callId);
    const isOwn = userId === person.externalId || person.memberships.some((membership) => membership.userId === userId);
    if (id === null || !isOwn || person.memberships.length === 0) return null;
    const tenantIds = person.memberships.map(({ tenant }) => tenant);
    return options.findCallForUser({ tenantIds, userExternalId: person.externalId, id });
  }
}

function tooMany(reply: FastifyReply, seconds: number): FastifyReply {
  reply.header("retry-after", String(seconds));
  const message = "Repeat after the seconds in Retry-After";
  return refuse(reply, 429, { error: "Too many requests", message, status: 429 });
}

function refuse(reply: FastifyReply, status: number, body: Record<string, unknown>): FastifyReply {
  return reply.code(status).type("application/json; charset=utf-8").send(JSON.stringify(body));
}
