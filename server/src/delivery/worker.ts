import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";
import { type Random, randomFraction } from "#/kernel/random.ts";

import { attempt, type Attempted } from "./attempt.ts";
import { createAuthorizer } from "./auth/authorize.ts";
import { claim } from "./claim.ts";
import type { Committed } from "./commit-results.ts";
import { decideNext } from "./decide.ts";
import type { EndpointBook } from "./endpoints/book.ts";
import type { Followers } from "./follow.ts";
import { createTally } from "./health/tally.ts";
import { createInHand } from "./in-hand.ts";
import { createLanes } from "./lanes.ts";
import { logAttempt } from "./log-attempt.ts";
import { createMarks } from "./marks.ts";
import type { DeliveryMetrics } from "./metrics.ts";
import { createPace } from "./pace.ts";
import { unblockReleased } from "./queue/line-store.ts";
import { releaseDeliveries } from "./queue/store.ts";
import type { Result } from "./result.ts";
import { createSettler } from "./settle.ts";
import { type HandOff, isGated, type Target } from "./target.ts";
import { createTrials, isSuspect } from "./trials.ts";
import { createUpkeep } from "./upkeep.ts";

export type DeliveryWorkerOptions = {
  readonly db: Db;
  readonly http: GuardedHttp;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: DeliveryMetrics;
  readonly book: EndpointBook;
  /** Without it nobody is told live. */
  readonly followers?: Followers;
  /** Subscribes to announcements of due deliveries; gives the function that ends it. */
  readonly onWake: (woken: (what?: string | null) => void) => () => void;
  /** Subscribes to changes of what endpoints of a tenant may send, null for any; the book has forgotten them by then. */
  readonly onEndpoints?: (changed: (tenantId: string | null) => void) => () => void;
  /** Name of this process in the record of attempts. */
  readonly node: string;
  readonly userAgent: string;
};

export type DeliveryWorker = {
  /** Begins to claim, renew and sweep. */
  start(): void;
  /** Ends claiming, gives back what has not started, waits for attempts in flight up to `graceMs`, then ends those too. */
  stop(graceMs: number): Promise<void>;
  /** Sends deliveries that were claimed when they were written. Call it after their commit. */
  handOff(items: readonly HandOff[]): void;
  /** How many deliveries of an endpoint may be handed off now; 0 once the worker stops. */
  roomFor(target: Target): number;
  /** One round: frees what ran out, claims what is due, sends it and stores the results. Gives the number claimed. */
  runOnce(): Promise<number>;
  /** Resolves when nothing is in hand. */
  idle(): Promise<void>;
  /** True from start to stop. */
  isRunning(): boolean;
};

export function createDeliveryWorker(options: DeliveryWorkerOptions): DeliveryWorker {
  const { db, clock, log, metrics, book } = options;
  const stopping = new AbortController();
  const ending = new AbortController();
  const authorizer = createAuthorizer(options);
  const trials = createTrials({ db, clock, signal: stopping.signal });
  const tally = createTally();
  const inHand = createInHand();
  const upkeep = createUpkeep({
    ...options,
    tally,
    giveBackStale,
    held: inHand.all,
    wake: lookAgain,
  });
  const lanes = createLanes({ clock, send, workers: () => upkeep.workers });
  const settler = createSettler({ ...options, context: { ...options, tally, roomFor }, settled, committed });
  const marks = createMarks(clock);
  const pace = createPace(clock);
  const claimContext = {
    ...options,
    marks,
    room: lanes,
    bytesFree,
    retries: pace.retries,
    workers: () => upkeep.workers,
  };
  const running: Promise<void>[] = [];
  const idleWaiters = new Set<() => void>();
  let wake = new AbortController();

  return {
    start() {
      const subscriptions = [options.onWake(woken), options.onEndpoints?.(endpointsChanged)];
      const unsubscribe = () => subscriptions.forEach((end) => end?.());
      stopping.signal.addEventListener("abort", unsubscribe, { once: true });
      running.push(claimForever(), upkeep.run(stopping.signal));
    },
    async stop(graceMs) {
      stopping.abort();
      wakeUp();
      await Promise.all(running);
      await giveBack(lanes.takeWaiting(0));
      const grace = new AbortController();
      await Promise.race([idle(), clock.sleep(graceMs, grace.signal)]);
      grace.abort();
      ending.abort();
      await idle();
    },
    handOff: take,
    roomFor,
    async runOnce() {
      await upkeep.sweep();
      const { count } = await claimOnce();
      await idle();
      return count;
    },
    idle,
    isRunning: () => running.length > 0 && !stopping.signal.aborted,
  };

  function roomFor(target: Target): number {
    const mayNot = stopping.signal.aborted || isGated(target, clock.monotonic(), upkeep.workers);
    return mayNot || inHand.bytes >= limits.deliveryBytesMax ? 0 : lanes.roomFor(target);
  }

  /** None before half of it is free: what there is no room for would be claimed and given back. */
  function bytesFree(): number {
    return inHand.bytes > limits.deliveryBytesMax / 2 ? 0 : limits.deliveryBytesMax - inHand.bytes;
  }

  function take(items: readonly HandOff[]): void {
    pace.note(items);
    inHand.add(items);
    lanes.add(items);
  }

  async function send(item: HandOff, waitedMs: number): Promise<void> {
    const sort = item.isRetry ? "retry" : "fresh";
    metrics.deliveryStartSeconds.observe({ sort }, Math.max(item.lateMs + waitedMs, 0) / 1000);
    const attempted = await attemptSafely(item);
    if (attempted === null) return giveBack([item]);
    const next = decideNext(item, attempted, () => randomFraction(options.random));
    metrics.attemptSeconds.observe({ class: attempted.class }, attempted.durationMs / 1000);
    // The endpoint wants no more for now: what waits here is not sent, and goes back once that is written.
    const wantsNone = attempted.class === "throttled" || attempted.class === "gone";
    const aside = wantsNone ? lanes.takeWaitingOf((target) => target.id === item.target.id) : [];
    const stored = settler.add({ item, attempted, next });
    if (aside.length > 0) void stored.then(() => giveBack(aside));
  }

  function attemptSafely(item: HandOff): Promise<Attempted | null> {
    const once = () => attempt(item, { ...options, authorizer, signal: ending.signal });
    return isSuspect(item) ? trials.run(item, once) : once();
  }

  function settled(result: Result, isHeld: boolean): void {
    logAttempt(log, metrics, result, isHeld);
    letGo(result.item);
    // What came by a claim may have left others behind that had no place.
    if (result.item.isRetry || result.item.lateMs > 0) wakeUp();
  }

  function committed({ handOffs, changed, isTold }: Committed): void {
    if (isTold) options.followers?.ring();
    for (const tenantId of changed) {
      book.forget(tenantId);
      void takeBack(tenantId);
    }
    take(handOffs);
  }

  function woken(what?: string | null): void {
    // Another process has come: from now on it takes its share of what endpoints take at once.
    if (what === "joined") void upkeep.join().catch(() => {});
    // Something may have become due that stands before other things; null: we may have missed that it did.
    if (what === "earlier" || what === null) marks.forget();
    wakeUp();
  }

  /** What became due again may stand before what was looked at last. */
  function lookAgain(): void {
    marks.forget();
    wakeUp();
  }

  /** Who wants no order any more has nothing to wait for. */
  function endpointsChanged(tenantId: string | null): void {
    marks.forget();
    void takeBack(tenantId);
  }

  /** Ends the pause of the claim. Each abort makes an error with its stack, so there is one for each pause. */
  function wakeUp(): void {
    if (!wake.signal.aborted) wake.abort();
  }

  function letGo(item: HandOff): void {
    inHand.remove(item);
    if (!inHand.isEmpty) return;
    for (const done of idleWaiters) done();
    idleWaiters.clear();
  }

  function idle(): Promise<void> {
    return inHand.isEmpty ? Promise.resolve() : new Promise((resolve) => idleWaiters.add(resolve));
  }

  async function claimForever(): Promise<void> {
    await upkeep.join().catch((error: unknown) => log.error({ reason: messageOf(error) }, "other workers not counted"));
    while (!stopping.signal.aborted) {
      wake = new AbortController();
      const { count, waitMs } = await claimOnce().catch((error: unknown) => {
        log.error({ reason: messageOf(error) }, "due deliveries not claimed, trying again");
        return { count: 0, waitMs: null };
      });
      // Not without a pause, but where much came: results that come in groups would make a claim for each.
      if (count < limits.deliveryClaimMax / 2) await clock.sleep(limits.deliveryClaimPauseMs, stopping.signal);
      if (count > 0) continue;
      await clock.sleep(Math.min(Math.ceil(waitMs ?? limits.deliveryPollMs), limits.deliveryPollMs), wake.signal);
    }
  }

  async function claimOnce(): Promise<{ count: number; waitMs: number | null }> {
    const startedAt = clock.monotonic();
    const { items, waitMs } = await claim(claimContext);
    if (items.length > 0) {
      metrics.claimSeconds.observe((clock.monotonic() - startedAt) / 1000);
      metrics.claimRows.observe(items.length);
    }
    take(items);
    return { count: items.length, waitMs };
  }

  /** What has waited in memory too long goes back to the table. */
  async function giveBackStale(): Promise<void> {
    await giveBack(lanes.takeWaiting(limits.deliveryWaitingMs));
    const { fresh, retry } = lanes.inFlight;
    metrics.slotsUsed.set({ sort: "fresh" }, fresh);
    metrics.slotsUsed.set({ sort: "retry" }, retry);
  }

  /** What waits in memory for endpoints that may not send any more goes back to the table. */
  async function takeBack(tenantId: string | null): Promise<void> {
    const waiting = lanes.waitingFor().filter((target) => tenantId === null || target.tenantId === tenantId);
    if (waiting.length === 0) return;
    const tenants = [...new Set(waiting.map((target) => target.tenantId))];
    try {
      const known = await db.inTransaction(tenants, (tx) => book.enabled(tx, tenants));
      const open = new Set(
        [...known.values()]
          .flat()
          .filter((target) => !target.isPaused && target.gatedUntil <= clock.monotonic())
          .map(({ id }) => id),
      );
      await giveBack(lanes.takeWaitingOf((target) => tenants.includes(target.tenantId) && !open.has(target.id)));
    } catch (error) {
      log.error({ reason: messageOf(error) }, "changes of endpoints not seen, what waits for them is sent");
    }
  }

  /** What was not attempted is due again at once. If that cannot be stored the claims run out by themselves. */
  async function giveBack(items: readonly HandOff[]): Promise<void> {
    if (items.length === 0) return;
    await db
      .inTransaction([...new Set(items.map((item) => item.tenantId))], (tx) => release(tx, items))
      .catch((error: unknown) => log.error({ reason: messageOf(error) }, "claims not given back, they will run out"));
    marks.forget();
    for (const item of items) letGo(item);
  }
}

async function release(tx: Tx, items: readonly HandOff[]): Promise<void> {
  await releaseDeliveries(tx, items);
  const inLine = items.filter(({ target }) => target.order.mode !== "none");
  await unblockReleased(
    tx,
    inLine.map(({ tenantId, deliveryId, target }) => ({ tenantId, deliveryId, endpointId: target.id })),
  );
}
