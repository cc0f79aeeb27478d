import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { Log } from "#/kernel/log.ts";

import { itemOf } from "./change-item.ts";
import { gapOf, type Place, readCursor } from "./cursor.ts";
import { liveLimits } from "./limits.ts";
import { type ChangeRow, readChanges } from "./store.ts";
import type { Stream } from "./stream.ts";

export type CatchUp = (stream: Stream, lastEventId: string, here: Place) => Promise<void>;

/**
 * Gives a stream what it missed between its cursor and `here`, in order, while what happens meanwhile is held for it; then
 * it is live. A gap that cannot be filled is said, and the stream goes on from `here`.
 */
export function createCatchUp({
  db,
  clock,
  log,
}: {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
}): CatchUp {
  const lanes = new Set<Promise<unknown>>();
  return async (stream, lastEventId, here) => {
    const from = readCursor(lastEventId);
    const gap = from ? gapOf(from, here) : "unknown_cursor";
    if (!from || gap !== "open") {
      stream.startAnew(gap === "too_old" ? gap : "unknown_cursor", here);
      return stream.goLive();
    }
    try {
      await fill(stream, from, here);
    } catch (error) {
      log.warn({ reason: messageOf(error) }, "a live stream could not catch up");
      return stream.end("unavailable");
    }
    if (!stream.isEnded()) stream.goLive();
  };

  async function fill(stream: Stream, from: Place, here: Place): Promise<void> {
    let place = from;
    let count = 0;
    while (!stream.isEnded() && (place.ahead || place.seen !== here.seen)) {
      const at: Place = place;
      const upTo = at.ahead?.snapshot ?? here.seen;
      const rows = await inLane(() => read(stream.tenantId, at, upTo));
      count += rows.length;
      if (count > liveLimits.catchUpRowsMax) return stream.startAnew("too_old", here);
      for (const row of rows) stream.repeat(itemOf(row, { ...at, ahead: { snapshot: upTo, seq: row.seq } }));
      const last = rows.at(-1);
      const isWhole = !last || rows.length < liveLimits.pageRowsMax;
      place = isWhole ? { ...at, seen: upTo, ahead: null } : { ...at, ahead: { snapshot: upTo, seq: last.seq } };
      while (!stream.isEnded() && stream.pendingBytes() > liveLimits.waitingBytesMax / 4) await clock.sleep(20);
    }
  }

  async function read(tenantId: string, { seen, ahead }: Place, upTo: string): Promise<readonly ChangeRow[]> {
    const wanted = { after: seen, upTo, seq: ahead?.seq ?? 0, rowsMax: liveLimits.pageRowsMax };
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
