import type { Actor } from "@aftercall/contract/api.ts";
import { toPublicId } from "@aftercall/contract/id.ts";

import { record } from "#/audit/record.ts";
import type { Tx } from "#/db/transaction.ts";
import { notify } from "#/db/wake.ts";
import type { Ids } from "#/kernel/ids.ts";
import { cleanText, jsonbText } from "#/kernel/jsonb.ts";

import { type Followers, tellFollowers } from "./follow.ts";
import { announceOperations, type Operation } from "./health/announce.ts";
import { nextHealth, type Outcome, type Transition } from "./health/next-health.ts";
import { deliveryOperations, endpointOperation } from "./health/operations.ts";
import { healthRules } from "./health/rules.ts";
import { disableEndpoints, type EndpointRef, type HealthRow, lockHealth, writeHealth } from "./health/store.ts";
import type { Tally } from "./health/tally.ts";
import { unblockLines } from "./queue/line-store.ts";
import { closeDisabled, type ResultRow, settleDeliveries } from "./queue/store.ts";
import { failingFrom, type Result } from "./result.ts";
import type { HandOff } from "./target.ts";
import type { WriteContext } from "./write.ts";

export type CommitContext = WriteContext & {
  readonly ids: Ids;
  readonly node: string;
  readonly tally: Tally;
  /** Without it nobody is told live. */
  readonly followers?: Followers;
};

export type Committed = {
  /** Deliveries whose claim held. */
  readonly held: ReadonlySet<string>;
  /** Messages about what happened, to hand to the worker. */
  readonly handOffs: readonly HandOff[];
  /** Tenants of endpoints that may now send more or less than before. */
  readonly changed: readonly string[];
  /** Successes that are to be counted with the next failure, and those that were just written. */
  readonly quiet: readonly EndpointRef[];
  readonly counted: readonly (EndpointRef & { readonly count: number })[];
  /** Whether somebody is to be told live. */
  readonly isTold: boolean;
};

/**
 * Writes what became of attempts, how their endpoints do after them, and what is to be told about both: all or nothing. Hot
 * rows are taken in one order: deliveries by id, then endpoints by id.
 */
export async function commitResults(tx: Tx, results: readonly Result[], context: CommitContext): Promise<Committed> {
  const rows = results.map(rowOf).toSorted((a, b) => (a.deliveryId < b.deliveryId ? -1 : 1));
  const endpoints = new Map(results.map((result) => [result.item.target.id, refOf(result)]));
  const { held, unclean, followed } = await settleDeliveries(tx, rows, context.node, [...endpoints.values()]);
  const ours = results.filter(({ item }) => held.has(item.deliveryId));
  const touched = ours.filter((result) => isTouching(result, unclean));
  const quiet = ours.filter((result) => result.item.isCounted && !isTouching(result, unclean)).map(refOf);
  const tell = async (operations: readonly Operation[], atMs: number) =>
    context.followers !== undefined &&
    tellFollowers(tx, context.followers, followed, { results: ours, operations, atMs });
  if (touched.length === 0) {
    return { held, handOffs: [], changed: [], quiet, counted: [], isTold: await tell([], 0) };
  }

  const judged = await judge(tx, touched, context);
  const lines = touched.filter(({ item }) => item.target.order.mode !== "none" && item.orderKey !== null);
  if (lines.length > 0)
    await unblockLines(
      tx,
      lines.map(({ item }) => item),
    );
  const disabled = await disable(tx, touched, judged, context);
  const nowMs = judged[0]?.row.nowMs ?? 0;
  const operations = [
    ...(await deliveryOperations(tx, touched)),
    ...judged.flatMap(({ row, transitions }) =>
      transitions.flatMap((transition) => endpointOperation(row, transition) ?? []),
    ),
    ...disabled.map(({ reason, ...endpoint }) => ({
      ...endpoint,
      type: "endpoint.disabled",
      subject: endpoint.endpointId,
      data: { reason },
    })),
  ];
  // Read as this transaction leaves them, without what was just disabled, and not remembered: it may be rolled back.
  const book = { ...context.book, enabled: context.book.read };
  const handOffs = await announceOperations(tx, operations, nowMs, { ...context, book });
  const moved = [...disabled, ...judged.filter(({ isGateMoved }) => isGateMoved).map(({ row }) => row)];
  const changed = [...new Set(moved.map(({ tenantId }) => tenantId))];
  for (const tenantId of changed) await notify(tx, "endpoints", tenantId);
  const isTold = await tell(operations, nowMs);
  return { held, quiet, handOffs, changed, counted: judged.flatMap(({ counted }) => counted), isTold };
}

/** A result that is written about its endpoint: a failure, a success after failures, or one whose line has to move on. */
function isTouching({ item, next }: Result, unclean: ReadonlySet<string>): boolean {
  if (item.target.order.mode !== "none" || next.kind !== "delivered") return true;
  return unclean.has(item.target.id) || item.wasExhausted || item.attemptCount - item.manualCount >= failingFrom;
}

type Verdict = {
  readonly row: HealthRow;
  readonly transitions: readonly Transition[];
  /** Whether what the endpoint may send changed. */
  readonly isGateMoved: boolean;
  readonly counted: readonly (EndpointRef & { readonly count: number })[];
};

async function judge(tx: Tx, results: readonly Result[], { tally }: CommitContext): Promise<Verdict[]> {
  const byEndpoint = Map.groupBy(results, ({ item }) => item.target.id);
  const rows = await lockHealth(
    tx,
    [...byEndpoint.values()].flatMap(([first]) => (first ? [refOf(first)] : [])),
  );
  const verdicts = rows.map((row) => {
    const own = byEndpoint.get(row.endpointId) ?? [];
    const count = tally.countOf(row.endpointId);
    const judged = nextHealth(row.health, own.map(outcomeOf), { ...row, rules: healthRules, earlierSuccesses: count });
    const { breaker, notBeforeMs } = judged.health;
    const isGateMoved = breaker !== row.health.breaker || notBeforeMs !== row.health.notBeforeMs;
    const counted = count > 0 ? [{ tenantId: row.tenantId, endpointId: row.endpointId, count }] : [];
    return { row, ...judged, isGateMoved, counted };
  });
  await writeHealth(
    tx,
    verdicts.map(({ row, health }) => ({ ...row, health })),
  );
  return verdicts;
}

function outcomeOf({ item, attempted }: Result): Outcome {
  // The URL has failed and its fallback was not asked yet: that decides about the endpoint.
  const { url, fallbackUrl } = item.target;
  const hasFallback = fallbackUrl !== null && attempted.class !== "ok" && attempted.url === url;
  const throttledMs = attempted.class === "throttled" ? (attempted.retryAfterMs ?? 0) : null;
  return {
    isSuccess: attempted.class === "ok",
    throttledMs,
    isCounted: item.isCounted && attempted.class !== "render" && !hasFallback,
  };
}

type Disabled = EndpointRef & { readonly reason: "gone" | "failing" };

async function disable(
  tx: Tx,
  results: readonly Result[],
  verdicts: readonly Verdict[],
  { ids }: CommitContext,
): Promise<Disabled[]> {
  const gone = new Map(
    results
      .filter(({ attempted }) => attempted.class === "gone")
      .map((result) => [result.item.target.id, refOf(result)]),
  );
  const failing = verdicts
    .filter(({ transitions }) => transitions.some(({ kind }) => kind === "disabled"))
    .map(({ row: { tenantId, endpointId } }) => ({ tenantId, endpointId }));
  const disabled: Disabled[] = [
    ...(await disableEndpoints(tx, [...gone.values()], "gone")).map((one) => ({ ...one, reason: "gone" }) as const),
    ...(await disableEndpoints(tx, failing, "failing")).map((one) => ({ ...one, reason: "failing" }) as const),
  ];
  for (const { tenantId, endpointId, reason } of disabled) {
    const subject = toPublicId("endpoint", endpointId);
    await record(tx, ids, {
      tenant: tenantId,
      actor: system,
      action: "endpoint.disabled",
      subject,
      detail: { reason },
    });
  }
  if (disabled.length > 0) await closeDisabled(tx, [...new Set(disabled.map(({ tenantId }) => tenantId))]);
  return disabled;
}

const system: Actor = { kind: "system", id: "delivery", role: "owner" };

function refOf({ item }: Result): EndpointRef {
  return { tenantId: item.tenantId, endpointId: item.target.id };
}

function rowOf({ item, attempted, next }: Result): ResultRow {
  return {
    tenantId: item.tenantId,
    deliveryId: item.deliveryId,
    claimId: item.claimId,
    state: next.kind === "retry" || next.kind === "resume" ? "due" : next.kind,
    delayMs: next.kind === "retry" ? next.delayMs : null,
    reason: next.kind === "undelivered" ? next.reason : null,
    isManual: item.isManual,
    trigger: item.isManual ? "manual" : item.isCounted ? "schedule" : "resend",
    url: attempted.url,
    number: item.attemptCount + 1,
    startedAtMs: attempted.startedAtMs,
    durationMs: attempted.durationMs,
    status: attempted.status,
    class: attempted.class,
    error: attempted.error === null ? null : cleanText(attempted.error).slice(0, 500),
    requestHeaders: attempted.sent === null ? null : JSON.stringify(attempted.sent),
    responseHeaders: attempted.headers === null ? null : jsonbText(attempted.headers),
    responseBody: attempted.body,
  };
}
