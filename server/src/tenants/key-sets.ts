import { createLocalJWKSet, errors, type JWTVerifyGetKey } from "jose";

import type { Clock } from "#/kernel/clock.ts";
import { Unavailable } from "#/kernel/errors.ts";
import { limits } from "#/kernel/limits.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";

/** Where a set of keys is, and for whom it is fetched: what is open to one tenant is not open to another. */
export type KeyPlace = {
  readonly tenant: string;
  readonly url: string;
  readonly privateTargets: readonly string[];
};

export type KeySets = {
  /** The keys at a place. `isFresh`: fetched again, unless that was just done. @throws Unavailable */
  keysOf(place: KeyPlace, isFresh: boolean): Promise<JWTVerifyGetKey>;
};

type Held = { readonly keys: JWTVerifyGetKey; readonly at: number };

/**
 * Sets of public keys (JWKS, RFC 7517) of other systems, kept for a while. A key that is not in a set has it fetched again, but
 * not for every token that names one: anybody can write such tokens.
 */
export function createKeySets(options: {
  readonly clock: Clock;
  readonly http: Pick<GuardedHttp, "request">;
}): KeySets {
  const { clock, http } = options;
  const held = new Map<string, Held>();
  const underway = new Map<string, Promise<Held>>();

  return {
    async keysOf(place, isFresh) {
      const name = `${place.tenant} ${place.url}`;
      const known = held.get(name);
      const age = known ? clock.monotonic() - known.at : Infinity;
      if (known && age < (isFresh ? limits.keySetAgainMs : limits.keySetKeepMs)) return known.keys;
      try {
        const running = underway.get(name) ?? fetchOnce(name, place);
        return (await running).keys;
      } catch (error) {
        // Better the keys of an hour ago than nobody let in because the other system is down.
        if (known && age < limits.keySetStaleMs) return known.keys;
        throw error;
      }
    },
  };

  function fetchOnce(name: string, place: KeyPlace): Promise<Held> {
    const running = fetchKeys(place)
      .then((keys) => {
        const fresh = { keys, at: clock.monotonic() };
        held.delete(name);
        held.set(name, fresh);
        if (held.size > limits.keySetsMax) held.delete(held.keys().next().value ?? name);
        return fresh;
      })
      .finally(() => underway.delete(name));
    underway.set(name, running);
    return running;
  }

  async function fetchKeys({ url, privateTargets }: KeyPlace): Promise<JWTVerifyGetKey> {
    try {
      const { status, body, isTruncated } = await http.request({
        url,
        method: "GET",
        headers: { accept: "application/json" },
        body: null,
        timeoutMs: limits.keySetTimeoutMs,
        responseBytesMax: limits.keySetBytesMax,
        privateTargets,
      });
      if (status !== 200 || isTruncated) throw new Error(`answered ${status}`);
      return createLocalJWKSet(JSON.parse(body.toString("utf8")));
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof Error) {
        throw new Unavailable("The keys of the issuer of the token cannot be fetched", error);
      }
      throw error;
    }
  }
}
