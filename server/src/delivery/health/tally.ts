import type { EndpointRef } from "./store.ts";

/**
 * Successes of endpoints that nothing is wrong with. They matter for one thing, the share of failures, so they are counted here
 * and written now and then, or with the next failure, instead of with every attempt.
 */
export type Tally = {
  add(endpoint: EndpointRef): void;
  countOf(endpointId: string): number;
  /** Takes off what was written. */
  written(successes: readonly (EndpointRef & { readonly count: number })[]): void;
  all(): (EndpointRef & { readonly count: number })[];
};

export function createTally(): Tally {
  const counts = new Map<string, EndpointRef & { count: number }>();
  return {
    add({ tenantId, endpointId }) {
      const known = counts.get(endpointId);
      if (known) known.count++;
      else counts.set(endpointId, { tenantId, endpointId, count: 1 });
    },
    countOf: (endpointId) => counts.get(endpointId)?.count ?? 0,
    written(successes) {
      for (const { endpointId, count } of successes) {
        const known = counts.get(endpointId);
        if (!known) continue;
        known.count -= count;
        if (known.count <= 0) counts.delete(endpointId);
      }
    },
    all: () => [...counts.values()].map((one) => ({ ...one })),
  };
}
