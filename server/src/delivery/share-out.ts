import type { Quota } from "./queue/claim-store.ts";
import type { ReadyLane } from "./queue/lane-store.ts";

/** How many more deliveries can be taken: in all, and of each sort. */
export type Room = { readonly total: number; readonly fresh: number; readonly retry: number };

export type Sharing = {
  readonly room: Room;
  /** What of it one tenant may take at most. */
  readonly roomOf: (tenantId: string) => Room;
  /** How many an endpoint may take now. */
  readonly freeOf: (lane: ReadyLane) => number;
};

/**
 * Gives out places one by one: tenants in turn, within a tenant its lanes in turn, so that neither a tenant with hundreds of
 * endpoints nor an endpoint with a backlog takes what another needs. Both lanes of an endpoint share what it may take.
 */
export function shareOut(lanes: readonly ReadyLane[], { room, roomOf, freeOf }: Sharing): Quota[] {
  const left = { ...room };
  const free = new Map<string, number>();
  const rows = new Map<ReadyLane, number>();
  let tenants = [...Map.groupBy(lanes, ({ tenantId }) => tenantId)].map(([id, of]) => ({
    lanes: [...of],
    left: { ...roomOf(id) },
  }));
  while (tenants.length > 0 && left.total > 0) {
    for (const tenant of tenants) giveOne(tenant);
    tenants = tenants.filter((tenant) => tenant.lanes.length > 0);
  }
  return [...rows].map(([{ tenantId, endpointId, isRetry, first }, count]) => ({
    tenantId,
    endpointId,
    isRetry,
    first,
    rows: count,
  }));

  /** One place for the first lane that can use it; it then stands at the end. What can use none drops out. */
  function giveOne({
    lanes: line,
    left: own,
  }: {
    lanes: ReadyLane[];
    left: { -readonly [Key in keyof Room]: number };
  }): void {
    for (let lane = line.shift(); lane !== undefined; lane = line.shift()) {
      const sort = lane.isRetry ? "retry" : "fresh";
      const places = free.get(lane.endpointId) ?? freeOf(lane);
      if (places <= 0 || Math.min(left[sort], left.total, own[sort], own.total) <= 0) continue;
      free.set(lane.endpointId, places - 1);
      for (const one of [left, own]) {
        one[sort]--;
        one.total--;
      }
      rows.set(lane, (rows.get(lane) ?? 0) + 1);
      line.push(lane);
      return;
    }
  }
}
