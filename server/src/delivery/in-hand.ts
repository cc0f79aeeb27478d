import type { HandOff } from "./target.ts";

/** What this process has claimed and not ended yet: it waits, is under way, or is being written. */
export type InHand = {
  add(items: readonly HandOff[]): void;
  remove(item: HandOff): void;
  all(): HandOff[];
  readonly isEmpty: boolean;
  /** What the bodies take, bytes. One that goes to several endpoints counts for each. */
  readonly bytes: number;
};

export function createInHand(): InHand {
  const items = new Map<string, HandOff>();
  let bytes = 0;

  return {
    add(added) {
      for (const item of added) {
        remove(item.deliveryId);
        items.set(item.deliveryId, item);
        bytes += item.body.length;
      }
    },
    remove: ({ deliveryId }) => remove(deliveryId),
    all: () => [...items.values()],
    get isEmpty() {
      return items.size === 0;
    },
    get bytes() {
      return bytes;
    },
  };

  function remove(deliveryId: string): void {
    bytes -= items.get(deliveryId)?.body.length ?? 0;
    items.delete(deliveryId);
  }
}
