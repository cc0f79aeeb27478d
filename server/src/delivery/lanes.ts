import type { Clock } from "#/kernel/clock.ts";
import { limits } from "#/kernel/limits.ts";

import type { HandOff, Target } from "./target.ts";

/**
 * What this process has in hand: a lane for each endpoint with at most its `in_flight_max` attempts at once, and a bounded
 * queue in memory in front of it while the endpoint answers quickly. One that hangs keeps its own lane and nothing else.
 */
export type Lanes = {
  /** Takes deliveries that are claimed by this process. */
  add(items: readonly HandOff[]): void;
  /** How many more deliveries of an endpoint should be taken now. */
  roomFor(target: Target): number;
  /** The same for every endpoint that was busy here lately, by id. */
  knownRoom(): Map<string, number>;
  /** How many more deliveries should be taken in all. */
  readonly free: number;
  /** Attempts in flight and deliveries that wait. */
  readonly size: number;
  /** Removes what has waited longer than `ms`: it should not age in memory. Forgets endpoints that had nothing to do. */
  takeWaiting(ms: number): HandOff[];
};

export type LanesOptions = {
  readonly clock: Clock;
  /** One attempt, from start to end; must not throw. */
  readonly send: (item: HandOff) => Promise<void>;
};

type Lane = {
  target: Target;
  inFlight: number;
  readonly waiting: { readonly item: HandOff; readonly since: number }[];
  /** Smoothed duration of an attempt. */
  averageMs: number;
  lastEndAt: number;
};

export function createLanes({ clock, send }: LanesOptions): Lanes {
  const lanes = new Map<string, Lane>();
  const line = new Set<Lane>();
  let inFlight = 0;
  let waiting = 0;

  return {
    add(items) {
      const since = clock.monotonic();
      const touched = new Set<Lane>();
      for (const item of items) {
        const lane = laneOf(item.target);
        lane.target = item.target;
        lane.waiting.push({ item, since });
        waiting++;
        touched.add(lane);
      }
      for (const lane of touched) fill(lane);
    },
    roomFor(target) {
      const now = clock.monotonic();
      const room = roomOf(lanes.get(target.id) ?? newLane(target, now), now);
      return Math.max(Math.min(room, free()), 0);
    },
    knownRoom() {
      const now = clock.monotonic();
      return new Map([...lanes].map(([id, lane]) => [id, Math.max(roomOf(lane, now), 0)]));
    },
    get free() {
      return free();
    },
    get size() {
      return inFlight + waiting;
    },
    takeWaiting(ms) {
      const before = clock.monotonic() - ms;
      const taken: HandOff[] = [];
      for (const [id, lane] of lanes) {
        const stale = lane.waiting.findIndex(({ since }) => since > before);
        taken.push(...lane.waiting.splice(0, stale === -1 ? lane.waiting.length : stale).map(({ item }) => item));
        if (isIdle(lane) && clock.monotonic() - lane.lastEndAt > forgetMs) lanes.delete(id);
      }
      waiting -= taken.length;
      return taken;
    },
  };

  function free(): number {
    return limits.deliverySlots - inFlight + limits.deliveryWaitingMax - waiting;
  }

  function laneOf(target: Target): Lane {
    const known = lanes.get(target.id);
    if (known) return known;
    const lane = newLane(target, clock.monotonic());
    lanes.set(target.id, lane);
    return lane;
  }

  /** Starts what the lane may start; what all slots together do not allow stands in line. */
  function fill(lane: Lane): void {
    while (wantsSlot(lane)) {
      if (inFlight >= limits.deliverySlots) {
        line.add(lane);
        return;
      }
      start(lane);
    }
  }

  function start(lane: Lane): void {
    const next = lane.waiting.shift();
    if (!next) return;
    waiting--;
    inFlight++;
    lane.inFlight++;
    const startedAt = clock.monotonic();
    void send(next.item).finally(() => {
      const now = clock.monotonic();
      inFlight--;
      lane.inFlight--;
      lane.averageMs += (now - startedAt - lane.averageMs) * smoothing;
      lane.lastEndAt = now;
      if (line.size > 0) nextInLine(lane);
      else fill(lane);
    });
  }

  /** While lanes stand in line each gets one slot in turn, and the one that gave a slot back joins the end. */
  function nextInLine(giver: Lane): void {
    if (wantsSlot(giver)) line.add(giver);
    for (const lane of line) {
      if (inFlight >= limits.deliverySlots) return;
      line.delete(lane);
      if (!wantsSlot(lane)) continue;
      start(lane);
      if (wantsSlot(lane)) line.add(lane);
    }
  }
}

function newLane(target: Target, now: number): Lane {
  return { target, inFlight: 0, waiting: [], averageMs: firstGuessMs, lastEndAt: now };
}

function isIdle(lane: Lane): boolean {
  return lane.inFlight === 0 && lane.waiting.length === 0;
}

function wantsSlot(lane: Lane): boolean {
  return lane.waiting.length > 0 && lane.inFlight < lane.target.inFlightMax;
}

const smoothing = 0.2;
/** What an endpoint is thought to take before it was seen. */
const firstGuessMs = 50;
/** How long the speed of an endpoint that has nothing to do is remembered. */
const forgetMs = 60_000;
/** A full lane in which nothing has ended for this long does not move. */
const stuckMs = 1_000;

/** Slots that are free, and as many places in front of them as the endpoint empties within a second. */
function roomOf(lane: Lane, now: number): number {
  const isStuck = lane.inFlight >= lane.target.inFlightMax && now - lane.lastEndAt > stuckMs;
  const perSecond = (lane.target.inFlightMax * 1000) / Math.max(lane.averageMs, 1);
  const ahead = isStuck ? 0 : Math.min(Math.floor(perSecond), limits.deliveryWaitingPerEndpointMax);
  return lane.target.inFlightMax + ahead - lane.inFlight - lane.waiting.length;
}
