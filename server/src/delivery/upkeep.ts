import { toPublicId } from "@aftercall/contract/id.ts";

import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import type { Log } from "#/kernel/log.ts";

import { healthRules } from "./health/rules.ts";
import { countSuccesses } from "./health/store.ts";
import type { Tally } from "./health/tally.ts";
import { breakerStates, type DeliveryMetrics, waitingCauses } from "./metrics.ts";
import { closeExpired, tenantsWithExpiredMessages } from "./queue/expiry-store.ts";
import { tenantsWithBlockedDeliveries, unblockStranded } from "./queue/line-store.ts";
import { freeLostClaims, type Held, orphanedClaims, renewLeases, tenantsWithExpiredLeases } from "./queue/store.ts";
import { backlog, breakers, latestEndpoints, oldestDueSeconds, workerGone, workerSeen } from "./queue/watch-store.ts";

export type UpkeepOptions = {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly metrics: DeliveryMetrics;
  readonly node: string;
  readonly tally: Tally;
  /** Gives back what has waited in memory too long: it is not renewed. */
  readonly giveBackStale: () => Promise<void>;
  /** What this process has claimed. */
  readonly held: () => readonly Held[];
  /** Called when something became due. */
  readonly wake: () => void;
};

/** What a process that delivers does beside delivering: says that it lives, keeps its claims, frees those of the dead. */
export type Upkeep = {
  /** Processes that deliver, this one among them. */
  readonly workers: number;
  /** Does everything now and then, until the signal; resolves when all of it has ended. */
  run(signal: AbortSignal): Promise<void>;
  /** Says that this process delivers; what endpoints take at once is divided among all that do. */
  join(): Promise<void>;
  /** Frees claims that ran out. */
  sweep(): Promise<void>;
};

export function createUpkeep(options: UpkeepOptions): Upkeep {
  const { db, clock, log, metrics, tally } = options;
  const worker = { id: options.ids.next(), node: options.node, silentMs: limits.deliveryWorkerSilentMs };
  let workers = 1;
  /** Processes that seemed to be gone when we looked last. */
  let missing: ReadonlySet<number> = new Set();

  return {
    get workers() {
      return workers;
    },
    async run(signal) {
      const every = (ms: number, work: () => Promise<void>) => repeat(ms, work, signal);
      await Promise.all([
        every(limits.deliveryHeartbeatMs, join),
        every(limits.deliveryHeartbeatMs, renew),
        every(limits.deliverySweepMs, sweep),
        every(limits.deliveryOrphansMs, adopt),
        every(limits.deliveryExpiryMs, expire),
        every(limits.deliveryTallyMs, writeTally),
        every(limits.deliveryLinesMs, unblock),
        every(limits.deliveryBacklogMs, count),
      ]);
      await db.inTransaction([], (tx) => workerGone(tx, worker.id)).catch(() => {});
    },
    join,
    sweep,
  };

  async function repeat(ms: number, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await work().catch((error: unknown) =>
        log.error({ reason: messageOf(error) }, "upkeep of deliveries failed, trying again"),
      );
      await clock.sleep(ms, signal);
    }
  }

  async function join(): Promise<void> {
    workers = Math.max(await db.inTransaction([], (tx) => workerSeen(tx, worker)), 1);
  }

  async function renew(): Promise<void> {
    await options.giveBackStale();
    const items = options.held();
    if (items.length === 0) return;
    const count = await db.inTransaction(tenantsOf(items), (tx) => renewLeases(tx, items, limits.deliveryLeaseMs));
    // Some may just have been settled; what somebody else owns by now shows when its result is written.
    log.debug({ held: items.length, renewed: count }, "claims renewed");
  }

  async function sweep(): Promise<void> {
    const tenants = await db.inTransaction([], async (tx) => {
      metrics.oldestDueSeconds.set(await oldestDueSeconds(tx));
      return tenantsWithExpiredLeases(tx);
    });
    if (tenants.length === 0) return;
    const count = await db.inTransaction(tenants, (tx) => free(tx, tenants, []));
    metrics.leasesLostTotal.inc(count);
    log.warn({ deliveries: count }, "claims ran out: their process ended without giving them back");
    options.wake();
  }

  /** Frees what processes held that are gone, long before it runs out. Looked at twice: a lost connection comes back. */
  async function adopt(): Promise<void> {
    const orphans = await db.inTransaction([], orphanedClaims);
    const gone = orphans.filter(({ process }) => missing.has(process));
    missing = new Set(orphans.map(({ process }) => process));
    if (gone.length === 0) return;
    const tenants = [...new Set(gone.map(({ tenantId }) => tenantId))];
    const processes = [...new Set(gone.map(({ process }) => process))];
    const count = await db.inTransaction(tenants, (tx) => free(tx, tenants, processes));
    metrics.leasesLostTotal.inc(count);
    log.warn({ deliveries: count }, "claims of a process that is gone are free again");
    // What an endpoint takes at once is divided among fewer now.
    await join();
    options.wake();
  }

  function free(tx: Tx, tenants: readonly string[], gone: readonly number[]): Promise<number> {
    return freeLostClaims(tx, tenants, { trialsMax: limits.deliveryTrialsMax, gone });
  }

  /** Ends what waits of messages whose time has run out. */
  async function expire(): Promise<void> {
    const tenants = await db.inTransaction([], tenantsWithExpiredMessages);
    if (tenants.length === 0) return;
    const count = await db.inTransaction(tenants, (tx) => closeExpired(tx, tenants, limits.deliveryExpiryMax));
    // Somebody may have waited behind them.
    if (count > 0) options.wake();
  }

  async function writeTally(): Promise<void> {
    const successes = tally.all();
    if (successes.length === 0) return;
    const tenants = [...new Set(successes.map(({ tenantId }) => tenantId))];
    await db.inTransaction(tenants, (tx) => countSuccesses(tx, successes, healthRules));
    tally.written(successes);
  }

  async function unblock(): Promise<void> {
    const tenants = await db.inTransaction([], tenantsWithBlockedDeliveries);
    if (tenants.length === 0) return;
    const count = await db.inTransaction(tenants, (tx) => unblockStranded(tx, tenants));
    if (count > 0) options.wake();
  }

  async function count(): Promise<void> {
    const [waiting, states, latest] = await db.inTransaction(
      [],
      async (tx) =>
        [await backlog(tx), await breakers(tx), await latestEndpoints(tx, limits.latestEndpointsMax)] as const,
    );
    // Which they are changes: one that has caught up is not shown any more.
    metrics.latestEndpoints.reset();
    for (const { endpoint_id: id, cause, oldest_seconds: seconds } of latest) {
      metrics.latestEndpoints.set({ endpoint: toPublicId("endpoint", id), cause }, seconds);
    }
    for (const cause of waitingCauses) {
      const row = waiting.find((one) => one.cause === cause);
      metrics.waitingDeliveries.set({ cause }, row?.count ?? 0);
      metrics.oldestWaitingSeconds.set({ cause }, row?.oldest_seconds ?? 0);
    }
    for (const state of breakerStates) {
      metrics.breakers.set({ state }, states.find(({ breaker }) => breaker === state)?.count ?? 0);
    }
  }
}

function tenantsOf(items: readonly Held[]): string[] {
  return [...new Set(items.map(({ tenantId }) => tenantId))];
}
