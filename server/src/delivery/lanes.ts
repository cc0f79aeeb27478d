import type { Clock } from "#/kernel/clock.ts";
import { limits } from "#/kernel/limits.ts";

import { isSlotFree, type Load, newLoad, roomIn, sizeOf, type Sort, sorts } from "./load.ts";
import type { Room } from "./share-out.ts";
import type { HandOff, Target } from "./target.ts";

/**
 * What this process has in hand: a lane for each endpoint with at most its share of `in_flight_max` attempts at once, and a
 * bounded queue in memory in front of it while the endpoint answers quickly. One that hangs keeps its own lane and nothing
 * else. Some slots are kept for first attempts and some for retries, so that neither waits for a backlog of the other; and no
 * tenant takes more than half of all slots.
 */
export type Lanes = {
  /** Takes deliveries that are claimed by this process. */
  add(items: readonly HandOff[]): void;
  /** How many more deliveries of an endpoint should be taken now. */
  roomFor(target: Target): number;
  /** The same for every endpoint that was busy here lately, by id. */
  knownRoom(): Map<string, number>;
  /** How many more deliveries should be taken in all. */
  readonly free: Room;
  /** The same for one tenant. */
  freeOf(tenantId: string): Room;
  /** Attempts in flight and deliveries that wait. */
  readonly size: number;
  /** Removes what has waited longer than `ms`: it should not age in memory. Forgets endpoints that had nothing to do. */
  takeWaiting(ms: number): HandOff[];
  /** Attempts in flight. */
  readonly inFlight: Readonly<Record<Sort, number>>;
  /** Endpoints for which something waits. */
  waitingFor(): Target[];
  /** Removes what waits for the endpoints that are asked for. */
  takeWaitingOf(isWanted: (target: Target) => boolean): HandOff[];
};

export type LanesOptions = {
  readonly clock: Clock;
  /** One attempt, from start to end; must not throw. */
  readonly send: (item: HandOff, waitedMs: number) => Promise<void>;
  /** Processes that deliver: what an endpoint takes at once is divided among them. */
  readonly workers: () => number;
};

type Waiting = { readonly item: HandOff; readonly since: number };

type Lane = {
  target: Target;
  inFlight: number;
  readonly waiting: Readonly<Record<Sort, Waiting[]>>;
  /** The sort that comes next where both wait. */
  turn: Sort;
  /** Smoothed duration of an attempt. */
  averageMs: number;
  lastEndAt: number;
};

export function createLanes({ clock, send, workers }: LanesOptions): Lanes {
  const lanes = new Map<string, Lane>();
  const line = new Set<Lane>();
  const all = newLoad();
  const tenants = new Map<string, Load>();

  return {
    add(items) {
      const since = clock.monotonic();
      const touched = new Set<Lane>();
      for (const item of items) {
        const lane = laneOf(item.target);
        const sort = item.isRetry ? "retry" : "fresh";
        lane.target = item.target;
        lane.waiting[sort].push({ item, since });
        for (const load of loadsOf(item.tenantId)) load.waiting[sort]++;
        touched.add(lane);
      }
      for (const lane of touched) fill(lane);
    },
    roomFor(target) {
      const now = clock.monotonic();
      const room = roomOf(lanes.get(target.id) ?? newLane(target, now), now);
      const [overall, own] = [free(), freeOf(target.tenantId)];
      return Math.max(Math.min(room, overall.total, overall.fresh, own.total, own.fresh), 0);
    },
    knownRoom() {
      const now = clock.monotonic();
      return new Map([...lanes].map(([id, lane]) => [id, Math.max(roomOf(lane, now), 0)]));
    },
    get free() {
      return free();
    },
    freeOf,
    get size() {
      return sizeOf(all);
    },
    takeWaiting(ms) {
      const now = clock.monotonic();
      const taken = [...lanes.values()].flatMap((lane) => take(lane, ({ since }) => since <= now - ms));
      for (const [id, lane] of lanes) {
        if (isIdle(lane) && now - lane.lastEndAt > forgetMs) lanes.delete(id);
      }
      for (const [id, load] of tenants) if (sizeOf(load) === 0) tenants.delete(id);
      return taken;
    },
    inFlight: all.inFlight,
    waitingFor: () => [...lanes.values()].filter(hasWaiting).map(({ target }) => target),
    takeWaitingOf(isWanted) {
      return [...lanes.values()].flatMap((lane) => (isWanted(lane.target) ? take(lane, () => true) : []));
    },
  };

  function free(): Room {
    return roomIn(all, limits.deliverySlots, limits.deliveryWaitingMax);
  }

  function freeOf(tenantId: string): Room {
    const load = tenants.get(tenantId) ?? newLoad();
    return roomIn(load, limits.deliverySlotsPerTenant, limits.deliveryWaitingPerTenantMax);
  }

  /** What is counted with an attempt of a tenant: everybody's and its own. */
  function loadsOf(tenantId: string): readonly [Load, Load] {
    const own = tenants.get(tenantId) ?? newLoad();
    tenants.set(tenantId, own);
    return [all, own];
  }

  function laneOf(target: Target): Lane {
    const known = lanes.get(target.id);
    if (known) return known;
    const lane = newLane(target, clock.monotonic());
    lanes.set(target.id, lane);
    return lane;
  }

  /** Removes the oldest of what waits in a lane, as long as they are wanted. */
  function take(lane: Lane, isWanted: (one: Waiting) => boolean): HandOff[] {
    return sorts.flatMap((sort) => {
      const keep = lane.waiting[sort].findIndex((one) => !isWanted(one));
      const taken = lane.waiting[sort].splice(0, keep === -1 ? lane.waiting[sort].length : keep);
      for (const load of loadsOf(lane.target.tenantId)) load.waiting[sort] -= taken.length;
      return taken.map(({ item }) => item);
    });
  }

  /** Starts what the lane may start; what all slots together do not allow stands in line. */
  function fill(lane: Lane): void {
    while (hasOwnSlot(lane)) {
      if (!start(lane)) {
        if (hasWaiting(lane)) line.add(lane);
        return;
      }
    }
  }

  /** Starts one, first attempts and retries in turn where both wait and both have slots. False: no slot, or nothing waits. */
  function start(lane: Lane): boolean {
    const { tenantId } = lane.target;
    const sort = [lane.turn, other[lane.turn]].find((one) => lane.waiting[one].length > 0 && hasSlot(one, tenantId));
    const next = sort && lane.waiting[sort].shift();
    if (!next) return false;
    lane.turn = other[sort];
    const loads = loadsOf(tenantId);
    for (const load of loads) {
      load.waiting[sort]--;
      load.inFlight[sort]++;
    }
    lane.inFlight++;
    const startedAt = clock.monotonic();
    void send(next.item, startedAt - next.since).finally(() => {
      const now = clock.monotonic();
      for (const load of loads) load.inFlight[sort]--;
      lane.inFlight--;
      lane.averageMs += (now - startedAt - lane.averageMs) * smoothing;
      lane.lastEndAt = now;
      if (line.size > 0) nextInLine(lane);
      else fill(lane);
    });
    return true;
  }

  function hasSlot(sort: Sort, tenantId: string): boolean {
    const own = tenants.get(tenantId);
    const isFree = isSlotFree(all, sort, limits.deliverySlots);
    return isFree && (!own || isSlotFree(own, sort, limits.deliverySlotsPerTenant));
  }

  /** While lanes stand in line each gets one slot in turn, and the one that gave a slot back joins the end. */
  function nextInLine(giver: Lane): void {
    if (wantsSlot(giver)) line.add(giver);
    for (const lane of line) {
      if (!sorts.some((sort) => isSlotFree(all, sort, limits.deliverySlots))) return;
      const isDone = !wantsSlot(lane) || start(lane);
      if (!isDone) continue;
      line.delete(lane);
      if (wantsSlot(lane)) line.add(lane);
    }
  }

  function wantsSlot(lane: Lane): boolean {
    return hasWaiting(lane) && hasOwnSlot(lane);
  }

  function hasOwnSlot(lane: Lane): boolean {
    return lane.inFlight < capOf(lane);
  }

  function capOf({ target }: Lane): number {
    return Math.max(Math.floor(target.inFlightMax / workers()), 1);
  }

  /** Slots that are free, and as many places in front of them as the endpoint empties within a second. */
  function roomOf(lane: Lane, now: number): number {
    const cap = capOf(lane);
    const isStuck = lane.inFlight >= cap && now - lane.lastEndAt > stuckMs;
    const perSecond = (cap * 1000) / Math.max(lane.averageMs, 1);
    const ahead = isStuck ? 0 : Math.min(Math.floor(perSecond), limits.deliveryWaitingPerEndpointMax);
    return cap + ahead - lane.inFlight - lane.waiting.fresh.length - lane.waiting.retry.length;
  }
}

const other = { fresh: "retry", retry: "fresh" } as const;

function newLane(target: Target, now: number): Lane {
  const waiting = { fresh: [], retry: [] };
  return { target, inFlight: 0, waiting, turn: "fresh", averageMs: firstGuessMs, lastEndAt: now };
}

function isIdle(lane: Lane): boolean {
  return lane.inFlight === 0 && !hasWaiting(lane);
}

function hasWaiting({ waiting }: Lane): boolean {
  return waiting.fresh.length > 0 || waiting.retry.length > 0;
}

const smoothing = 0.2;
/** What an endpoint is thought to take before it was seen. */
const firstGuessMs = 50;
/** How long the speed of an endpoint that has nothing to do is remembered. */
const forgetMs = 60_000;
/** A full lane in which nothing has ended for this long does not move. */
const stuckMs = 1_000;
