import type { Clock } from "#/kernel/clock.ts";
import { limits } from "#/kernel/limits.ts";

import type { HandOff } from "./target.ts";

/**
 * How fast retries are claimed. While first attempts flow, a claim takes as many retries as first attempts came since the one
 * before it, or a few: what piled up for an endpoint that is back leaves processor and database to what is new. With nothing
 * new, retries go as fast as they can.
 */
export type Pace = {
  /** Notes what this process sends next. */
  note(items: readonly Pick<HandOff, "isRetry">[]): void;
  /** Retries that the claim which is made now may take, at most. */
  retries(): number;
};

export function createPace(clock: Clock): Pace {
  let fresh = 0;
  let flowsUntil = Number.NEGATIVE_INFINITY;

  return {
    note(items) {
      const count = items.reduce((sum, { isRetry }) => sum + (isRetry ? 0 : 1), 0);
      if (count === 0) return;
      fresh += count;
      flowsUntil = clock.monotonic() + limits.deliveryFreshFlowMs;
    },
    retries() {
      if (clock.monotonic() >= flowsUntil) return Number.POSITIVE_INFINITY;
      const most = Math.max(fresh, limits.deliveryRetriesBesideFresh);
      fresh = 0;
      return most;
    },
  };
}
