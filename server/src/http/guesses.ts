import type { Clock } from "#/kernel/clock.ts";
import { TooMany, Unauthorized } from "#/kernel/errors.ts";
import { digest } from "#/kernel/secrets.ts";

import type { Auth } from "./auth.ts";
import { networkOf } from "./flood.ts";
import { createRate } from "./rate.ts";

/** As {@link Auth}, with the address that somebody asks from; without one, for what was let in before, nothing is counted. */
export type GuardedAuth = Guarded<Pick<Auth, "caller">>;
export type GuardedPersons = Guarded<Pick<Auth, "person">>;
type Guarded<A> = {
  readonly [Way in keyof A]: A[Way] extends (authorization: readonly string[]) => infer Result
    ? (authorization: readonly string[], address?: string) => Result
    : never;
};

export type GuessLimit = {
  readonly clock: Clock;
  /** Wrong credentials from one address in a minute; 0: as many as come. */
  readonly perMinute: number;
};

/**
 * Slows down whoever tries credentials: past the limit those of that address are not even looked up. One that was right here a
 * little while ago still is let in, so that a script with an old key shuts out nobody who works behind the same address.
 */
export function guardGuesses(auth: Auth, { clock, perMinute }: GuessLimit): GuardedAuth & GuardedPersons {
  if (perMinute === 0) return auth;
  const rate = createRate({ perMinute, clock });
  const proven = new Map<string, number>();
  return { caller: guarded(auth.caller), person: guarded(auth.person) };

  function guarded<Found>(find: (authorization: readonly string[]) => Promise<Found>) {
    return async (authorization: readonly string[], address?: string): Promise<Found> => {
      // Nothing is guessed by sending nothing.
      if (address === undefined || authorization.length === 0) return find(authorization);
      const network = networkOf(address);
      const name = digest(authorization.join("\n")).toString("base64");
      if (!rate.hasLeft(network) && !isProven(name)) {
        const message = "Too many wrong credentials came from this address";
        throw new TooMany(message, rate.retryAfterSeconds(network));
      }
      try {
        const found = await find(authorization);
        prove(name);
        return found;
      } catch (error) {
        if (error instanceof Unauthorized) {
          proven.delete(name);
          rate.take(network);
        }
        throw error;
      }
    };
  }

  function isProven(name: string): boolean {
    const until = proven.get(name);
    return until !== undefined && until > clock.monotonic();
  }

  function prove(name: string): void {
    // Deleting first moves it to the end of the map's order, which is the order of forgetting.
    proven.delete(name);
    proven.set(name, clock.monotonic() + provenMs);
    if (proven.size > provenMax) proven.delete(proven.keys().next().value ?? name);
  }
}

const provenMs = 15 * 60_000;
const provenMax = 10_000;
