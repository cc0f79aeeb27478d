import type { Clock } from "#/kernel/clock.ts";
import { TooMany } from "#/kernel/errors.ts";

import { createRate, type Rate } from "./rate.ts";

/** Requests per minute for each key or user of /v1, in each process; 0: as many as come. */
export type RateLimits = { readonly readsPerMinute: number; readonly writesPerMinute: number };

/**
 * The limits of /v1 with their names, and the headers that tell of them
 * (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/).
 */
export type Rates = {
  /** Counts a request. What the answer must say, also when it is a refusal. */
  count(
    method: string,
    who: string,
  ): { readonly headers: Readonly<Record<string, string>>; readonly refusal: TooMany | null };
};

export function createRates({ readsPerMinute, writesPerMinute }: RateLimits, clock: Clock): Rates {
  const policies = {
    reads: policyOf("reads", readsPerMinute, clock),
    writes: policyOf("writes", writesPerMinute, clock),
  };
  return {
    count(method, who) {
      const policy = method === "GET" || method === "HEAD" ? policies.reads : policies.writes;
      if (!policy) return { headers: {}, refusal: null };
      const { name, perMinute, rate } = policy;
      const isTaken = rate.take(who);
      return {
        headers: {
          "ratelimit-policy": `"${name}";q=${perMinute};w=60`,
          ratelimit: `"${name}";r=${rate.left(who)};t=${rate.fullAfterSeconds(who)}`,
        },
        refusal: isTaken ? null : refusalOf(policy, who),
      };
    },
  };
}

type Policy = { readonly name: string; readonly perMinute: number; readonly rate: Rate };

function policyOf(name: string, perMinute: number, clock: Clock): Policy | null {
  return perMinute === 0 ? null : { name, perMinute, rate: createRate({ perMinute, clock }) };
}

function refusalOf({ name, perMinute, rate }: Policy, who: string): TooMany {
  return new TooMany(`The limit of ${perMinute} ${name} per minute is reached`, rate.retryAfterSeconds(who));
}
