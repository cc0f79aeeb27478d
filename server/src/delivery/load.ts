import { limits } from "#/kernel/limits.ts";

import type { Room } from "./share-out.ts";

/** First attempts, and everything that is not one. */
export type Sort = "fresh" | "retry";
export const sorts: readonly Sort[] = ["fresh", "retry"];

/** Which share of the slots each sort may take: the rest is kept for the other. */
const shareOf: Readonly<Record<Sort, number>> = {
  fresh: 1 - limits.deliveryRetryReserve,
  retry: 1 - limits.deliveryFreshReserve,
};

/** What is under way and what waits: of all together, or of one tenant. */
export type Load = { readonly inFlight: Record<Sort, number>; readonly waiting: Record<Sort, number> };

export function newLoad(): Load {
  return { inFlight: { fresh: 0, retry: 0 }, waiting: { fresh: 0, retry: 0 } };
}

/** Attempts under way and deliveries that wait. */
export function sizeOf({ inFlight, waiting }: Load): number {
  return inFlight.fresh + inFlight.retry + waiting.fresh + waiting.retry;
}

/** How much more may be taken where there are so many slots and places in front of them. */
export function roomIn(load: Load, slots: number, places: number): Room {
  const of = (sort: Sort) => Math.floor((slots + places) * shareOf[sort]) - load.inFlight[sort] - load.waiting[sort];
  return { total: slots + places - sizeOf(load), fresh: of("fresh"), retry: of("retry") };
}

/** Whether one more of a sort may start. */
export function isSlotFree({ inFlight }: Load, sort: Sort, slots: number): boolean {
  return inFlight.fresh + inFlight.retry < slots && inFlight[sort] < Math.floor(slots * shareOf[sort]);
}
