import type { FastifyReply, FastifyRequest } from "fastify";

import { readTraceparent } from "#/kernel/traceparent.ts";

import type { Caller } from "./auth.ts";
import type { GuardedAuth } from "./guesses.ts";
import type { Rates } from "./rates.ts";
import { speakVersion } from "./versions.ts";
import { headersOf } from "./wire.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set by the routes of /v1. */
    caller?: Caller;
  }
}

export type AdmitOptions = {
  readonly auth: GuardedAuth;
  /** What counts requests; without it there is no limit. */
  readonly rates?: Rates;
};

/** Who asks, counted. `authorization`: what they showed, if it is not in the header of that name. @throws Unauthorized, TooMany */
export async function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  { auth, rates }: AdmitOptions,
  authorization: readonly string[] = headersOf(request.raw).get("authorization") ?? [],
): Promise<Caller> {
  const { tenant, actor } = await auth.caller(authorization, request.ip);
  const traceparent = readTraceparent(headersOf(request.raw).get("traceparent") ?? []);
  const from = { address: request.ip, requestId: request.id, ...(traceparent !== null && { traceparent }) };
  const caller = { tenant, actor: { ...actor, from } };
  request.caller = caller;
  speakVersion(request, reply, actor.apiVersion);
  request.facts["tenant"] = tenant;
  request.facts["actor"] = actor.id;
  const counted = rates?.count(request.method, whoIs(caller));
  if (counted) reply.headers(counted.headers);
  if (counted?.refusal) throw counted.refusal;
  return caller;
}

/** Whose requests count together: those of a key, of a person, of one end-customer's pages. */
function whoIs({ tenant, actor }: Caller): string {
  return JSON.stringify([tenant, actor.id, actor.businessId ?? null]);
}
