import { toPublicId } from "@aftercall/contract/id.ts";

import type { Db, Tx } from "#/db/transaction.ts";
import { type Reading, watchOperations } from "#/delivery/alarms/watch.ts";
import type { EndpointBook } from "#/delivery/endpoints/book.ts";
import { lagOf } from "#/delivery/queue/watch-store.ts";
import type { IntakeLine } from "#/inbox/receive.ts";
import type { Clock } from "#/kernel/clock.ts";
import type { Config } from "#/kernel/config.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";
import { createTally } from "#/sources/tally.ts";
import { type NamedTraffic, trafficOfTenants } from "#/sources/traffic-store.ts";
import { isSilent, refusalsIn } from "#/sources/traffic.ts";

import type { Sweep } from "./sweeps.ts";

export type AlarmParts = {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly book: EndpointBook;
  readonly config: Thresholds;
};

type Thresholds = Pick<Config, "sourceSilentMinutes" | "sourceRejectingPercent" | "queueLaggingSeconds">;

/** Tells operators of sources that went quiet or are refused, and of a queue that is late. */
export type Alarms = {
  /** What became of a webhook. */
  readonly observe: (line: IntakeLine) => void;
  /** Stores what this process counted; every process that takes webhooks does. */
  readonly counting: Sweep;
  /** Looks whether anything is wrong. */
  readonly watching: Sweep;
};

export function composeAlarms({ db, clock, ids, book, config }: AlarmParts): Alarms {
  const tally = createTally({ db, clock });
  return {
    observe({ tenant_id: tenantId, source_id: sourceId, result, code }) {
      if (tenantId === null || sourceId === null) return;
      const source = { tenantId, sourceId };
      if (result === "stored") tally.received(source);
      else if (result === "unauthorized") tally.refused(source, code ?? result);
      else if (result === "malformed" || result === "too_many") tally.refused(source, result);
    },
    counting: { name: "traffic of sources", everyMs: limits.trafficFlushMs, run: () => tally.flush() },
    watching: {
      name: "alarms",
      everyMs: limits.alarmsEveryMs,
      run: () => watchOperations({ db, clock, context: { ids, book }, look: lookWith(config) }),
    },
  };
}

function lookWith(config: Thresholds) {
  return async (tx: Tx, tenantIds: readonly string[], now: number): Promise<readonly Reading[]> => {
    const sources = await trafficOfTenants(tx, tenantIds);
    const lags = new Map((await lagOf(tx, tenantIds)).map((lag) => [lag.tenant_id, lag]));
    return [
      ...sources.flatMap((source) => [silence(source, now, config), refusals(source, now, config)]),
      ...tenantIds.map((tenantId) => {
        const { oldest_seconds = 0, count = 0 } = lags.get(tenantId) ?? {};
        return lag(tenantId, oldest_seconds, count, config);
      }),
    ];
  };
}

function silence(source: NamedTraffic, now: number, { sourceSilentMinutes }: Thresholds): Reading {
  const { traffic, tenantId, sourceId } = source;
  const { lastReceivedAt } = traffic;
  const last_event_at = lastReceivedAt === null ? null : new Date(lastReceivedAt).toISOString();
  const about = { source: showSource(source) };
  return {
    ...{ tenantId, type: "source.silent", subject: sourceId, patience: atOnce },
    level: isSilent(traffic, now, sourceSilentMinutes * minuteMs) ? "bad" : "good",
    data: { ...about, last_event_at },
    about: { ...about, was: "source.silent" },
  };
}

function refusals(source: NamedTraffic, now: number, { sourceRejectingPercent }: Thresholds): Reading {
  const { tenantId, sourceId } = source;
  const { since, refused, received, reasons } = refusalsIn(source.traffic, now);
  const percent = refused === 0 ? 0 : (refused / (refused + received)) * 100;
  const isMuch = refused >= limits.refusalsMin && percent >= sourceRejectingPercent;
  const about = { source: showSource(source) };
  return {
    ...{ tenantId, type: "source.rejecting", subject: sourceId, patience: atOnce },
    level: isMuch ? "bad" : percent < sourceRejectingPercent / 2 ? "good" : "unclear",
    data: { ...about, since: new Date(since).toISOString(), refused_count: refused, reasons },
    about: { ...about, was: "source.rejecting" },
  };
}

function lag(tenantId: string, seconds: number, count: number, { queueLaggingSeconds: max }: Thresholds): Reading {
  return {
    ...{ tenantId, type: "queue.lagging", subject: tenantId, patience: aWhile },
    level: seconds > max ? "bad" : seconds < max / 2 ? "good" : "unclear",
    data: { oldest_due_seconds: Math.round(seconds * 10) / 10, due_count: count },
    about: {},
  };
}

function showSource({ sourceId, slug, name, provider }: NamedTraffic) {
  return { id: toPublicId("source", sourceId), slug, provider, name };
}

const minuteMs = 60_000;
/** Silence and refusals are measured over long enough to be told at once. */
const atOnce = { beginMs: 0, endMs: 0 };
const aWhile = { beginMs: 5 * minuteMs, endMs: 5 * minuteMs };
