import type { Clock } from "#/kernel/clock.ts";
import { limits } from "#/kernel/limits.ts";

import type { Mark, ReadyLane } from "./queue/lane-store.ts";

/**
 * Where the lanes of due deliveries began when this process looked at them last, so that the next look need not walk over what
 * was claimed before. A delivery that becomes due again stands before the mark of its lane: whoever makes one so has all marks
 * forgotten, here and, by `NOTIFY`, in the other processes. Nothing is lost should one be missed, since no mark gets old and none
 * outlives having nothing to do.
 */
export type Marks = {
  /** The marks for a look that begins now, in the order of the lanes. */
  begin(): Look;
  /** Has the next look begin at the beginning. */
  forget(): void;
};

export type Look = {
  readonly marks: readonly Mark[];
  /** Marks what the look found, if nothing was forgotten meanwhile. */
  found(lanes: readonly ReadyLane[]): void;
};

export function createMarks(clock: Clock): Marks {
  let marks = new Map<string, Mark>();
  let since = Number.NEGATIVE_INFINITY;

  return {
    begin() {
      if (clock.monotonic() - since >= limits.deliveryMarksMs) forget();
      const own = marks;
      return {
        marks: [...own].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, mark]) => mark),
        found(lanes) {
          if (own !== marks) return;
          for (const { tenantId, endpointId, isRetry, mark } of lanes) {
            const key = `${tenantId} ${endpointId} ${isRetry ? 1 : 0}`;
            if (mark && (own.has(key) || own.size < limits.deliveryMarksMax))
              own.set(key, { tenantId, endpointId, isRetry, place: mark });
          }
        },
      };
    },
    forget,
  };

  function forget(): void {
    marks = new Map();
    since = clock.monotonic();
  }
}
