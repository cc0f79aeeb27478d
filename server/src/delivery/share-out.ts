import type { Quota, ReadyLane } from "./queue/claim-store.ts";

/** How many more deliveries a process can take: in all, and of each sort. */
export type Room = { readonly total: number; readonly fresh: number; readonly retry: number };

/**
 * Gives out places one by one: tenants in turn, within a tenant its lanes in turn, so that neither a tenant with hundreds of
 * endpoints nor an endpoint with a backlog takes what another needs. Both lanes of an endpoint share what it may take.
 * @param freeOf how many an endpoint may take now, by id.
 */
export function shareOut(lanes: readonly ReadyLane[], room: Room, freeOf: (lane: ReadyLane) => number): Quota[] {
  const left = { total: room.total, fresh: room.fresh, retry: room.retry };
  const free = new Map<string, number>();
  const rows = new Map<ReadyLane, number>();
  let tenants = [...Map.groupBy(lanes, ({ tenantId }) => tenantId).values()].map((of) => ({ of: [...of] }));
  while (tenants.length > 0 && left.total > 0) {
    for (const tenant of tenants) giveOne(tenant.of);
    tenants = tenants.filter(({ of }) => of.length > 0);
  }
  return [...rows].map(([{ tenantId, endpointId, isRetry }, count]) => ({
    tenantId,
    endpointId,
    isRetry,
    rows: count,
  }));

  /** One place for the first lane that can use it; it then stands at the end. What can use none drops out. */
  function giveOne(line: ReadyLane[]): void {
    for (let lane = line.shift(); lane !== undefined; lane = line.shift()) {
      const sort = lane.isRetry ? "retry" : "fresh";
      const own = free.get(lane.endpointId) ?? freeOf(lane);
      if (own <= 0 || left[sort] <= 0 || left.total <= 0) continue;
      free.set(lane.endpointId, own - 1);
      left[sort]--;
      left.total--;
      rows.set(lane, (rows.get(lane) ?? 0) + 1);
      line.push(lane);
      return;
    }
  }
}
