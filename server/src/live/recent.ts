import type { ChangeItem } from "./change-item.ts";
import { isWithin, isVisible, type Place, readSnapshot, type Snapshot } from "./cursor.ts";
import { liveLimits } from "./limits.ts";

/**
 * The latest changes of a process, ready to be sent. Thousands of clients that lose their connection at once come back with
 * a gap of seconds: given from here, it costs the database nothing, and nothing is read or written out twice.
 */
export type Recent = {
  keep(items: readonly ChangeItem[]): void;
  /** Everything of a tenant that came after `from`, in the order in which it was handed out; null: it is not all here. */
  since(from: Place, tenantId: string): ChangeItem[] | null;
  /** A tenant is listened to from now on; before that its changes were not read. */
  begin(tenantId: string, here: Place): void;
  end(tenantId: string): void;
  clear(): void;
};

export function createRecent(): Recent {
  const begun = new Map<string, Snapshot>();
  let items: ChangeItem[] = [];
  /** Everything that is not visible in it has been kept. */
  let base: Snapshot | null = null;

  return {
    keep(more) {
      items.push(...more);
      // Dropped in large pieces, so that keeping one costs nothing in the long run.
      if (items.length <= liveLimits.recentItemsMax) return;
      const dropped = items.splice(0, items.length - liveLimits.recentItemsMax / 2).at(-1);
      base = dropped ? readSnapshot(dropped.upTo) : base;
    },
    since({ seen, ahead }, tenantId) {
      const from = readSnapshot(seen);
      const since = begun.get(tenantId);
      if (!since || !isWithin(since, from) || (base && !isWithin(base, from))) return null;
      const half = ahead && { ...ahead, snapshot: readSnapshot(ahead.snapshot) };
      const missed: ChangeItem[] = [];
      for (let at = items.length - 1; at >= 0; at--) {
        const item = items[at];
        if (!item || isAllWithin(item.upTo, from)) break;
        if (item.tenantId !== tenantId || isVisible(item.xid, from)) continue;
        if (half && item.seq <= half.seq && isVisible(item.xid, half.snapshot)) continue;
        missed.push(item);
      }
      return missed.toReversed();
    },
    begin: (tenantId, here) => void begun.set(tenantId, readSnapshot(here.seen)),
    end: (tenantId) => void begun.delete(tenantId),
    clear() {
      items = [];
      base = null;
      begun.clear();
    },
  };
}

/** Steps follow each other: from the first one that was wholly seen backwards, everything was. */
function isAllWithin(upTo: string, from: Snapshot): boolean {
  return isWithin(readSnapshot(upTo), from);
}
