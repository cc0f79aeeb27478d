import type { Clock } from "#/kernel/clock.ts";

export type Rate = {
  /** Takes one of the key's requests; false: none is left. */
  take(key: string): boolean;
  /** Whether one is left, without taking it. */
  hasLeft(key: string): boolean;
  /** How many are left, in whole requests. */
  left(key: string): number;
  /** Whole seconds until all of them are. */
  fullAfterSeconds(key: string): number;
  /** Whole seconds until one is left; 0 when there is. */
  retryAfterSeconds(key: string): number;
};

/**
 * So many requests per minute and key, as a token bucket: the whole minute's worth may come at once, then it refills evenly.
 * Bounded: of more than `keysMax` keys the ones seen longest ago are forgotten.
 */
export function createRate(options: { perMinute: number; clock: Clock; keysMax?: number }): Rate {
  const { perMinute, clock, keysMax = 10_000 } = options;
  const buckets = new Map<string, { left: number; at: number }>();

  const leftOf = (key: string, now: number): number => {
    const bucket = buckets.get(key);
    if (!bucket) return perMinute;
    return Math.min(perMinute, bucket.left + ((now - bucket.at) * perMinute) / 60_000);
  };
  return {
    take(key) {
      const now = clock.monotonic();
      const left = leftOf(key, now);
      if (left < 1) return false;
      // Deleting first moves the key to the end of the map's order, which is the order of forgetting.
      buckets.delete(key);
      buckets.set(key, { left: left - 1, at: now });
      if (buckets.size > keysMax) buckets.delete(buckets.keys().next().value ?? key);
      return true;
    },
    hasLeft: (key) => leftOf(key, clock.monotonic()) >= 1,
    left: (key) => Math.floor(leftOf(key, clock.monotonic())),
    fullAfterSeconds: (key) => Math.ceil(((perMinute - leftOf(key, clock.monotonic())) * 60) / perMinute),
    retryAfterSeconds(key) {
      const missing = 1 - leftOf(key, clock.monotonic());
      return missing <= 0 ? 0 : Math.max(1, Math.ceil((missing * 60) / perMinute));
    },
  };
}
