import { toPublicId } from "@aftercall/contract/id.ts";

import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";
import type { GuardedHttp } from "#/kernel/net/http.ts";
import { type Random, randomFraction } from "#/kernel/random.ts";

import { attempt } from "./attempt.ts";
import { createAuthorizer } from "./auth/authorize.ts";
import { claim } from "./claim.ts";
import { decideNext } from "./decide.ts";
import type { EndpointBook } from "./endpoints/book.ts";
import { createLanes } from "./lanes.ts";
import {
  freeExpiredLeases,
  type Held,
  oldestDueSeconds,
  releaseDeliveries,
  renewLeases,
  tenantsWithExpiredLeases,
} from "./queue/store.ts";
import { createSettler, type Result } from "./settle.ts";
import type { HandOff, Target } from "./target.ts";

/** What the worker measures; the registry of the process fits. */
export type DeliveryMetrics = {
  readonly deliveriesTotal: { inc(labels: { result: "delivered" | "retrying" | "undelivered" | "lost_claim" }): void };
  readonly deliverySeconds: { observe(seconds: number): void };
  readonly attemptSeconds: { observe(labels: { class: string }, seconds: number): void };
  readonly oldestDueSeconds: { set(seconds: number): void };
};

export type DeliveryWorkerOptions = {
  readonly db: Db;
  readonly http: GuardedHttp;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: DeliveryMetrics;
  readonly book: EndpointBook;
  /** Subscribes to announcements of due deliveries; gives the function that ends it. */
  readonly onWake: (woken: () => void) => () => void;
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
  const held = new Map<string, Held>();
  const settler = createSettler({
    ...options,
    settled,
    disabled: (gone) => gone.forEach(({ tenantId }) => book.forget(tenantId)),
  });
  const lanes = createLanes({ clock, send });
  const claimContext = { ...options, knownRoom: () => lanes.knownRoom() };
  const running: Promise<void>[] = [];
  const idleWaiters = new Set<() => void>();
  let turn = 0;
  let wake = new AbortController();

  return {
    start() {
      const unsubscribe = options.onWake(() => wake.abort());
      stopping.signal.addEventListener("abort", unsubscribe, { once: true });
      running.push(claimForever(), every(limits.deliveryHeartbeatMs, renew), every(limits.deliverySweepMs, sweep));
    },
    async stop(graceMs) {
      stopping.abort();
      wake.abort();
      await Promise.all(running);
      await giveBack(lanes.takeWaiting(0));
      const grace = new AbortController();
      await Promise.race([idle(), clock.sleep(graceMs, grace.signal)]);
      grace.abort();
      ending.abort();
      await idle();
    },
    handOff: take,
    roomFor: (target) => (stopping.signal.aborted ? 0 : lanes.roomFor(target)),
    async runOnce() {
      await sweep();
      const count = await claimOnce();
      await idle();
      return count;
    },
    idle,
    isRunning: () => running.length > 0 && !stopping.signal.aborted,
  };

  function take(items: readonly HandOff[]): void {
    for (const item of items) held.set(item.deliveryId, item);
    lanes.add(items);
  }

  async function send(item: HandOff): Promise<void> {
    const attempted = await attempt(item, { ...options, authorizer, signal: ending.signal });
    if (attempted === null) return giveBack([item]);
    const next = decideNext(item, attempted, () => randomFraction(options.random));
    metrics.attemptSeconds.observe({ class: attempted.class }, attempted.durationMs / 1000);
    void settler.add({ item, attempted, next });
  }

  /** The canonical line of an attempt, once it is stored. */
  function settled({ item, attempted, next }: Result, isHeld: boolean): void {
    letGo(item);
    const result = isHeld ? resultOf[next.kind] : "lost_claim";
    metrics.deliveriesTotal.inc({ result });
    const latencyMs = attempted.startedAtMs + attempted.durationMs - item.receivedAtMs;
    if (result === "delivered") metrics.deliverySeconds.observe(latencyMs / 1000);
    log.info(
      {
        tenant: toPublicId("tenant", item.tenantId),
        delivery: toPublicId("delivery", item.deliveryId),
        message: toPublicId("message", item.messageId),
        endpoint: toPublicId("endpoint", item.target.id),
        type: item.type,
        attempt: item.attemptCount + 1,
        class: attempted.class,
        status: attempted.status,
        duration_ms: Math.round(attempted.durationMs),
        since_received_ms: Math.round(latencyMs),
        bytes: item.body.length,
        result,
        ...(next.kind === "retry" && { retry_in_ms: next.delayMs }),
        ...(next.kind === "undelivered" && { reason: next.reason }),
        ...(attempted.error !== null && { error: attempted.error }),
      },
      "delivery attempt",
    );
  }

  function letGo(item: HandOff): void {
    held.delete(item.deliveryId);
    if (held.size > 0) return;
    for (const done of idleWaiters) done();
    idleWaiters.clear();
  }

  function idle(): Promise<void> {
    return held.size === 0 ? Promise.resolve() : new Promise((resolve) => idleWaiters.add(resolve));
  }

  async function claimForever(): Promise<void> {
    while (!stopping.signal.aborted) {
      wake = new AbortController();
      const count = await claimOnce().catch((error: unknown) => {
        log.error({ reason: messageOf(error) }, "due deliveries not claimed, trying again");
        return 0;
      });
      const isBusy = count > 0 || lanes.free <= 0;
      await clock.sleep(isBusy ? limits.deliveryClaimPauseMs : limits.deliveryPollMs, wake.signal);
    }
  }

  async function claimOnce(): Promise<number> {
    const items = await claim(claimContext, lanes.free, turn++);
    take(items);
    return items.length;
  }

  async function every(ms: number, work: () => Promise<void>): Promise<void> {
    while (!stopping.signal.aborted) {
      await work().catch((error: unknown) =>
        log.error({ reason: messageOf(error) }, "upkeep of deliveries failed, trying again"),
      );
      await clock.sleep(ms, stopping.signal);
    }
  }

  async function renew(): Promise<void> {
    await giveBack(lanes.takeWaiting(limits.deliveryWaitingMs));
    const items = [...held.values()];
    if (items.length > 0)
      await db.inTransaction(tenantsOf(items), (tx) => renewLeases(tx, items, limits.deliveryLeaseMs));
  }

  async function sweep(): Promise<void> {
    const tenants = await db.inTransaction([], async (tx) => {
      metrics.oldestDueSeconds.set(await oldestDueSeconds(tx));
      return tenantsWithExpiredLeases(tx);
    });
    if (tenants.length === 0) return;
    const count = await db.inTransaction(tenants, (tx) => freeExpiredLeases(tx, tenants));
    log.warn({ deliveries: count }, "claims ran out: their process ended without giving them back");
    wake.abort();
  }

  /** What was not attempted is due again at once. If that cannot be stored the claims run out by themselves. */
  async function giveBack(items: readonly HandOff[]): Promise<void> {
    if (items.length === 0) return;
    await db
      .inTransaction(tenantsOf(items), (tx) => releaseDeliveries(tx, items))
      .catch((error: unknown) => log.error({ reason: messageOf(error) }, "claims not given back, they will run out"));
    for (const item of items) letGo(item);
  }
}

const resultOf = { delivered: "delivered", retry: "retrying", resume: "retrying", undelivered: "undelivered" } as const;

function tenantsOf(items: readonly Held[]): string[] {
  return [...new Set(items.map(({ tenantId }) => tenantId))];
}
