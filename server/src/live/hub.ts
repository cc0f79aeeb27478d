import { setImmediate } from "node:timers/promises";

import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { messageOf, TooMany } from "#/kernel/errors.ts";
import type { Log } from "#/kernel/log.ts";

import type { ChangeItem } from "./change-item.ts";
import type { Place } from "./cursor.ts";
import { pairsOf } from "./endings.ts";
import { createFeed } from "./feed.ts";
import { followDeliveries } from "./follow.ts";
import type { Pair } from "./frames.ts";
import { deliveriesKey } from "./identify.ts";
import { createInterests, type Interests } from "./interests.ts";
import { liveLimits } from "./limits.ts";
import { createRecent } from "./recent.ts";
import { withTurns } from "./spoken.ts";
import { maySee, type Subscriber } from "./subscriber.ts";

export type HubOptions = {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  /** The tenant behind a credential; null when it does not count any more. */
  readonly tenantOf: (credential: string) => Promise<string | null>;
};

/** Everybody who listens in this process, fed by one reader. */
export type Hub = {
  readonly interests: Interests<Subscriber>;
  /** What somebody missed since `from`, as far as memory reaches; to be asked while being let in. */
  missed(tenantId: string, from: Place): ChangeItem[] | null;
  /**
   * Lets somebody in, at a moment between two changes: `begin` runs at it. From then on they miss nothing.
   * @throws TooMany, Unavailable
   */
  enter<T>(subscriber: Subscriber, begin: (here: Place) => T): Promise<T>;
  /** Where everybody who was let in stands at this moment: all of it has been handed out to them, and nothing after it. */
  here(): Place;
  /** The same, after one more look: whatever has committed by now has been handed out. @throws Unavailable */
  upToDate(): Promise<Place>;
  /** Forgets somebody; the keys they waited for are theirs to remove. Any number of times. */
  leave(subscriber: Subscriber): void;
  /** Something was committed. */
  look(): void;
  start(): void;
  /** Tells everybody to come again elsewhere. */
  stop(): Promise<void>;
};

/** About what a change takes without a completion. */
const itemBytes = 1_000;

export function createHub({ db, clock, log, tenantOf }: HubOptions): Hub {
  const stopping = new AbortController();
  const interests = createInterests<Subscriber>();
  const recent = createRecent();
  const subscribers = new Map<Subscriber, number>();
  const countByTenant = new Map<string, number>();
  let entered = 0;
  let place: Place | null = null;
  let running: Promise<unknown> = Promise.resolve();

  const feed = createFeed({
    db,
    clock,
    log,
    tenants: () => [...countByTenant.keys()],
    emit,
    onReset(here) {
      recent.clear();
      for (const tenantId of countByTenant.keys()) recent.begin(tenantId, here);
      for (const subscriber of [...subscribers.keys()]) subscriber.reset(here);
    },
    onPlace: (here) => {
      place = here;
    },
  });

  return {
    interests,
    missed: (tenantId, from) => recent.since(from, tenantId),
    async enter(subscriber, begin) {
      const { tenantId } = subscriber;
      const isFull =
        subscribers.size >= liveLimits.connectionsMax ||
        (countByTenant.get(tenantId) ?? 0) >= liveLimits.connectionsPerTenantMax;
      if (isFull) throw new TooMany("Too many live connections", 30);
      return feed.atRest((here) => {
        if (!countByTenant.has(tenantId)) recent.begin(tenantId, here);
        subscribers.set(subscriber, entered++);
        countByTenant.set(tenantId, (countByTenant.get(tenantId) ?? 0) + 1);
        return begin(here);
      });
    },
    here() {
      if (!place) throw new Error("nobody has been let in");
      return place;
    },
    upToDate: () => feed.atRest((here) => here),
    leave(subscriber) {
      if (!subscribers.delete(subscriber)) return;
      const left = (countByTenant.get(subscriber.tenantId) ?? 1) - 1;
      if (left > 0) countByTenant.set(subscriber.tenantId, left);
      else {
        countByTenant.delete(subscriber.tenantId);
        recent.end(subscriber.tenantId);
      }
    },
    look: feed.look,
    start() {
      feed.start();
      running = Promise.all([beat(), recheck()]);
    },
    async stop() {
      stopping.abort();
      for (const subscriber of [...subscribers.keys()]) subscriber.end("stopping");
      await Promise.all([feed.stop(), running]);
    },
  };

  /** Reads the completions first, then hands everything out in one go: nothing comes between the two frames of a pair. */
  async function emit(items: readonly ChangeItem[]): Promise<void> {
    const awaited = items.filter((item) => {
      return item.ending && [...waitingFor(item)].some(({ wantsPairs }) => wantsPairs);
    });
    const pairs = await pairsOf(db, awaited);
    const spoken = await withTurns(db, items, (turn) =>
      [...waitingFor(turn)].some((subscriber) => subscriber.wants(turn)),
    );
    recent.keep(items);
    await handOut(spoken, pairs);
  }

  async function handOut(items: readonly ChangeItem[], pairs: ReadonlyMap<ChangeItem, Pair>): Promise<void> {
    let bytes = 0;
    for (const item of items) {
      const pair = pairs.get(item) ?? null;
      bytes += pair ? pair.data.length : itemBytes;
      if (bytes > liveLimits.burstBytes) {
        // Lets the sockets be written to: what is only waiting for its turn must not look like a client that does not read.
        await setImmediate();
        bytes = 0;
      }
      if (!item.isPart) place = item.place;
      for (const double of item.doubles) {
        for (const subscriber of interests.waiting(item.tenantId, [`call ${double}`])) {
          if (item.callId && maySee(subscriber, item)) subscriber.follow(double, item.callId);
        }
      }
      for (const subscriber of waitingFor(item)) if (maySee(subscriber, item)) subscriber.take(item, pair);
    }
  }

  function waitingFor(item: ChangeItem): ReadonlySet<Subscriber> {
    return interests.waiting(item.tenantId, item.keys);
  }

  /** Signs of life, spread over time: all of them at once would hold up the changes. */
  async function beat(): Promise<void> {
    const stepMs = 500;
    const slots = liveLimits.pingMs / stepMs;
    for (let tick = 0; !stopping.signal.aborted; tick++) {
      await clock.sleep(stepMs, stopping.signal);
      if (!place || stopping.signal.aborted) continue;
      for (const [subscriber, number] of subscribers) {
        const every = subscriber.wantsPairs ? slots : slots / (liveLimits.pingMs / liveLimits.heartbeatMs);
        if (number % every === tick % every) subscriber.beat(place);
      }
    }
  }

  async function followOn(): Promise<void> {
    const followed = [...countByTenant.keys()].filter((tenant) => interests.waiting(tenant, [deliveriesKey]).size > 0);
    for (const tenant of followed) {
      await followDeliveries(db, tenant).catch((error: unknown) => {
        log.warn({ reason: messageOf(error), tenant }, "results of deliveries are not asked for on, trying again");
      });
    }
  }

  /**
   * A key that was revoked and a token that ran out end their connections too; each credential is asked about once. And what is
   * told for as long as somebody wants it stays wanted.
   */
  async function recheck(): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(liveLimits.recheckMs, stopping.signal);
      await followOn();
      const holders = Map.groupBy(subscribers.keys(), ({ credential }) => credential);
      for (const [credential, held] of holders) {
        if (stopping.signal.aborted) return;
        try {
          const tenant = await tenantOf(credential);
          for (const subscriber of held) if (subscriber.tenantId !== tenant) subscriber.end("credential_ended");
        } catch (error) {
          log.warn({ reason: messageOf(error) }, "credentials of live connections not checked, trying again");
          break;
        }
      }
    }
  }
}
