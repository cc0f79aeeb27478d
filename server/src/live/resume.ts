import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { Log } from "#/kernel/log.ts";

import { type ChangeItem, itemOf } from "./change-item.ts";
import { gapOf, type Place, readCursor } from "./cursor.ts";
import type { Hub } from "./hub.ts";
import { liveLimits } from "./limits.ts";
import { type ChangeRow, readChanges } from "./store.ts";
import type { Outlet, Stream } from "./stream.ts";

/** How one stream begins. */
export type Resume = {
  /** At the moment at which the stream is let in: looks what memory has of what it missed. */
  atRest(here: Place): void;
  /** Gives it what it missed, then lets it go on live. */
  run(outlet: Outlet): Promise<void>;
};

export type ResumeOptions = { readonly db: Db; readonly clock: Clock; readonly log: Log; readonly hub: Hub };

/**
 * Gives streams what they missed between their cursor and now, in order, while what happens meanwhile is held for them: from
 * memory where it reaches that far, else from the table. A gap that cannot be filled is said, and the stream goes on from now.
 */
export function createResume({ db, clock, log, hub }: ResumeOptions) {
  const lanes = new Set<Promise<unknown>>();
  return (stream: Stream, lastEventId: string | null): Resume => {
    const from = lastEventId === null ? null : readCursor(lastEventId);
    let here: Place | null = null;
    let remembered: ChangeItem[] | null = null;
    return {
      atRest(place) {
        here = place;
        if (!from || gapOf(from, place) !== "open") return;
        const missed = hub.missed(stream.tenantId, from)?.filter((item) => stream.wants(item));
        if (missed && missed.length <= liveLimits.recentGivenMax) remembered = missed;
      },
      async run(outlet) {
        if (!here) throw new Error("a stream begins when it has been let in");
        stream.open(outlet, lastEventId === null ? here : null);
        if (lastEventId !== null) await giveMissed(stream, from, here, remembered);
        if (!stream.isEnded()) stream.goLive();
      },
    };
  };

  async function giveMissed(
    stream: Stream,
    from: Place | null,
    here: Place,
    remembered: readonly ChangeItem[] | null,
  ): Promise<void> {
    const gap = from ? gapOf(from, here) : "unknown_cursor";
    if (!from || gap !== "open") return stream.startAnew(gap === "too_old" ? gap : "unknown_cursor", here);
    if (remembered) return remembered.forEach((item) => stream.repeat(item));
    try {
      await fill(stream, from, here);
    } catch (error) {
      log.warn({ reason: messageOf(error) }, "a live stream could not be given what it missed");
      stream.end("unavailable");
    }
  }

  async function fill(stream: Stream, from: Place, here: Place): Promise<void> {
    let place = from;
    let count = 0;
    while (!stream.isEnded() && (place.ahead || place.seen !== here.seen)) {
      const at: Place = place;
      const upTo = at.ahead?.snapshot ?? here.seen;
      const rows = await inLane(() => read(stream.tenantId, at, upTo));
      count += rows.length;
      if (count > liveLimits.catchUpRowsMax) return stream.startAnew("too_old", here);
      for (const row of rows) stream.repeat(itemOf(row, at, upTo));
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
