import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { messageOf, Unavailable } from "#/kernel/errors.ts";
import type { Log } from "#/kernel/log.ts";

import { type ChangeItem, itemsOf } from "./change-item.ts";
import { gapOf, type Place } from "./cursor.ts";
import { liveLimits } from "./limits.ts";
import { placeNow, readChanges } from "./store.ts";

export type FeedOptions = {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  /** Tenants that somebody listens to. Nobody: nothing is read. */
  readonly tenants: () => readonly string[];
  /** Hands changes out, in order. What it throws stops the reader before them; they are read again. */
  readonly emit: (items: readonly ChangeItem[]) => Promise<void>;
  /** The database is another one, or an older copy: whoever listens has to start anew. */
  readonly onReset: (here: Place) => void;
  /** Everything up to `here` has been handed out, and nothing after it. */
  readonly onPlace: (here: Place) => void;
};

/** The one reader of a process: it feeds all clients, each change is read and made ready once. */
export type Feed = {
  /** Something may be there: looks at once, or again when it is looking. */
  look(): void;
  /**
   * Runs `begin` at a moment between two steps, when everything up to `here` has been handed out and nothing after it. Who is
   * added to the tenants by it misses nothing that commits from now on.
   * @throws Unavailable when the database cannot be read
   */
  atRest<T>(begin: (here: Place) => T): Promise<T>;
  start(): void;
  stop(): Promise<void>;
};

export function createFeed({ db, clock, log, tenants, emit, onReset, onPlace }: FeedOptions): Feed {
  const stopping = new AbortController();
  let here: Place | null = null;
  let isLooking = false;
  let isAsked = false;
  const guests: { begin: (place: Place) => void; refuse: (error: unknown) => void }[] = [];
  let polling: Promise<void> = Promise.resolve();
  let looking: Promise<void> = Promise.resolve();

  return {
    look,
    atRest: (begin) =>
      new Promise((resolve, reject) => {
        if (stopping.signal.aborted) throw new Unavailable("The server is stopping");
        guests.push({
          begin(place) {
            try {
              resolve(begin(place));
            } catch (error) {
              reject(error);
            }
          },
          refuse: reject,
        });
        look();
      }),
    start() {
      polling = poll();
    },
    async stop() {
      stopping.abort();
      await Promise.all([polling, looking]);
      for (const guest of guests.splice(0)) guest.refuse(new Unavailable("The server is stopping"));
    },
  };

  function look(): void {
    // Nobody to tell: whoever comes next is let in where the feed stands then.
    if (tenants().length === 0 && guests.length === 0) return;
    isAsked = true;
    if (isLooking || stopping.signal.aborted) return;
    isLooking = true;
    looking = lookWhileAsked();
  }

  async function lookWhileAsked(): Promise<void> {
    for (let failures = 0; isAsked && !stopping.signal.aborted;) {
      isAsked = false;
      // Whoever asks while a step runs is let in after the next one, which sees everything that was there when they asked.
      const asking = guests.splice(0);
      try {
        const place = await step();
        failures = 0;
        onPlace(place);
        for (const guest of asking) guest.begin(place);
      } catch (error) {
        log.warn({ reason: messageOf(error) }, "live changes not read, trying again");
        for (const guest of asking) guest.refuse(new Unavailable("Live updates cannot be read now", error));
        isAsked ||= tenants().length > 0;
        await clock.sleep(Math.min(100 * 2 ** failures++, liveLimits.retryMsMax), stopping.signal);
      }
    }
    // In the same breath as the last question whether anybody asked: who asks from now on starts it anew.
    isLooking = false;
  }

  /** From where we stand to what is visible now, page by page. */
  async function step(): Promise<Place> {
    const audience = tenants();
    if (!here || audience.length === 0) return (here = await db.inTransaction([], placeNow));
    for (;;) {
      const from: Place = here;
      const page = await db.inTransaction(audience, (tx) =>
        readChanges(tx, {
          tenantIds: audience,
          after: from.seen,
          upTo: from.ahead?.snapshot ?? null,
          seq: from.ahead?.seq ?? 0,
          rowsMax: liveLimits.pageRowsMax,
          withDeliveries: true,
        }),
      );
      const now: Place = { cluster: page.cluster, at: page.at, seen: page.snapshot, ahead: null };
      if (gapOf({ ...from, at: now.at }, now) !== "open") {
        onReset(now);
        return (here = now);
      }
      const upTo = from.ahead?.snapshot ?? page.snapshot;
      const items = itemsOf(page.rows, from, upTo, log);
      if (items.length > 0) await emit(items);
      const last = page.rows.at(-1);
      if (!last || page.rows.length < liveLimits.pageRowsMax) return (here = { ...now, seen: upTo });
      onPlace((here = { ...from, ahead: { snapshot: upTo, seq: last.seq } }));
    }
  }

  /** An announcement can be lost, so the table is looked at without one as well. */
  async function poll(): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(liveLimits.pollMs, stopping.signal);
      if (tenants().length > 0) look();
    }
  }
}
