import type { Clock } from "#/kernel/clock.ts";
import { TooMany, Unauthorized } from "#/kernel/errors.ts";
import { digest } from "#/kernel/secrets.ts";

import type { Auth } from "./auth.ts";
import { networkOf } from "./flood.ts";
import { createRate } from "./rate.ts";

/** Whoever asks from an address; without one, for what was let in before, nothing is counted. */
export type GuardedAuth = { caller(authorization: readonly string[], address?: string): ReturnType<Auth["caller"]> };

export type GuessLimit = {
  readonly clock: Clock;
  /** Wrong credentials from one address in a minute; 0: as many as come. */
  readonly perMinute: number;
};

/**
 * Slows down whoever tries credentials: past the limit those of that address are not even looked up. One that was right here a
 * little while ago still is let in, so that a script with an old key shuts out nobody who works behind the same address.
 */
export function guardGuesses(auth: Pick<Auth, "caller">, { clock, perMinute }: GuessLimit): GuardedAuth {
  if (perMinute === 0) return auth;
  const rate = createRate({ perMinute, clock });
  const proven = new Map<string, number>();

  return {
    async caller(authorization, address) {
      // Nothing is guessed by sending nothing.
      if (address === undefined || authorization.length === 0) return auth.caller(authorization);
      const network = networkOf(address);
      const name = digest(authorization.join("\n")).toString("base64");
      if (!rate.hasLeft(network) && !isProven(name)) {
        const message = "Too many wrong credentials came from this address";
        throw new TooMany(message, rate.retryAfterSeconds(network));
      }
      try {
        const caller = await auth.caller(authorization);
        prove(name);
        return caller;
      } catch (error) {
        if (error instanceof Unauthorized) {
          proven.delete(name);
          rate.take(network);
        }
        throw error;
      }
    },
  };

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
