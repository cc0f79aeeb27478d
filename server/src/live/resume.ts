import type { EndReason, ResetReason } from "@aftercall/contract/live.ts";

import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { Log } from "#/kernel/log.ts";

import { type ChangeItem, itemsOf } from "./change-item.ts";
import { gapOf, type Place, readCursor } from "./cursor.ts";
import { pairsOf } from "./endings.ts";
import type { Pair } from "./frames.ts";
import type { Hub } from "./hub.ts";
import { liveLimits } from "./limits.ts";
import { withTurns } from "./spoken.ts";
import { type ChangeRow, readChanges } from "./store.ts";
import { maySee } from "./subscriber.ts";

/** A client that comes back; what happens while it is given what it missed is held for it. */
export type Returning = {
  readonly tenantId: string;
  readonly businessId: string | null;
  readonly wantsPairs: boolean;
  readonly wantsDeliveries: () => boolean;
  wants(item: ChangeItem): boolean;
  follow(from: string, to: string): void;
  /** A change that was missed, in its turn. */
  repeat(item: ChangeItem, pair: Pair | null): void;
  /** What was missed cannot be told; it goes on from `here`. */
  startAnew(reason: ResetReason, here: Place): void;
  end(reason: EndReason): void;
  readonly pendingBytes: () => number;
  readonly isEnded: () => boolean;
};

/**
 * To be asked at the moment at which changes begin to be held for a client. What it gives tells the client everything between
 * its cursor and `here`.
 */
export type Resume = (client: Returning, cursor: string, here: Place, options?: ResumingOptions) => () => Promise<void>;

/** `toldSince`: from when on everything that the client waits for is told, epoch milliseconds; without it, from ever. */
export type ResumingOptions = { readonly toldSince?: number | null };

export type ResumeOptions = { readonly db: Db; readonly clock: Clock; readonly log: Log; readonly hub: Hub };

/**
 * Gives clients what they missed between their cursor and now, in order: from memory where it reaches that far, else from the
 * table. A gap that cannot be filled is said.
 */
export function createResume({ db, clock, log, hub }: ResumeOptions): Resume {
  const lanes = new Set<Promise<unknown>>();
  return (client, cursor, here, { toldSince = null } = {}) => {
    const from = readCursor(cursor);
    const isUntold = from !== null && toldSince !== null && from.at < toldSince;
    const gap = isUntold ? "too_old" : from ? gapOf(from, here) : "unknown_cursor";
    if (!from || gap !== "open") return async () => client.startAnew(gap === "too_old" ? gap : "unknown_cursor", here);
    const remembered = hub.missed(client.tenantId, from)?.filter((item) => isFor(client, item));
    return async () => {
      try {
        if (remembered && remembered.length <= liveLimits.recentGivenMax) await give(client, remembered);
        else await fill(client, from, here);
      } catch (error) {
        log.warn({ reason: messageOf(error) }, "a live client could not be given what it missed");
        client.end("unavailable");
      }
    };
  };

  async function fill(client: Returning, from: Place, here: Place): Promise<void> {
    let place = from;
    let count = 0;
    while (!client.isEnded() && (place.ahead || place.seen !== here.seen)) {
      const at: Place = place;
      const upTo = at.ahead?.snapshot ?? here.seen;
      const rows = await inLane(() => read(client, at, upTo));
      count += rows.length;
      if (count > liveLimits.catchUpRowsMax) return client.startAnew("too_old", here);
      await give(
        client,
        itemsOf(rows, at, upTo, log).filter((item) => isFor(client, item)),
      );
      const last = rows.at(-1);
      const isWhole = !last || rows.length < liveLimits.pageRowsMax;
      place = isWhole ? { ...at, seen: upTo, ahead: null } : { ...at, ahead: { snapshot: upTo, seq: last.seq } };
    }
  }

  /** Never faster than it is taken: who missed much is not a slow client for it. */
  async function give(client: Returning, items: readonly ChangeItem[]): Promise<void> {
    const pairs = client.wantsPairs ? await pairsOf(db, items) : null;
    for (const item of await withTurns(db, items, (turn) => client.wants(turn))) {
      while (!client.isEnded() && client.pendingBytes() > liveLimits.waitingBytesMax / 4) await clock.sleep(20);
      if (client.isEnded()) return;
      client.repeat(item, pairs?.get(item) ?? null);
    }
  }

  async function read(client: Returning, { seen, ahead }: Place, upTo: string): Promise<readonly ChangeRow[]> {
    const { tenantId } = client;
    const withDeliveries = client.wantsDeliveries();
    const wanted = { after: seen, upTo, seq: ahead?.seq ?? 0, rowsMax: liveLimits.pageRowsMax, withDeliveries };
    const page = await db.inTransaction([tenantId], (tx) => readChanges(tx, { tenantIds: [tenantId], ...wanted }));
    return page.rows;
  }

  /** Only the reading has its turn: a client that takes its time keeps nobody waiting. */
  async function inLane<T>(work: () => Promise<T>): Promise<T> {
    while (lanes.size >= liveLimits.catchUpsMax) await Promise.race(lanes);
    const running = work();
    const lane = running.catch(() => {}).finally(() => lanes.delete(lane));
    lanes.add(lane);
    return running;
  }
}

/** Looks at changes in their order: who waits for a record waits for the call that it turns out to be, from there on. */
function isFor(client: Returning, item: ChangeItem): boolean {
  if (!maySee(client, item)) return false;
  for (const double of item.doubles) if (item.callId) client.follow(double, item.callId);
  return client.wants(item);
}
