import { toPublicId } from "@aftercall/contract/id.ts";

import type { Db, Tx } from "#/db/transaction.ts";
import type { Ids } from "#/kernel/ids.ts";
import { limits } from "#/kernel/limits.ts";

import type { EndpointBook } from "./endpoints/book.ts";
import { allowance, tokensAt } from "./health/allowance.ts";
import { healthRules } from "./health/rules.ts";
import type { EndpointRef } from "./health/store.ts";
import type { Lanes } from "./lanes.ts";
import type { Marks } from "./marks.ts";
import {
  claimLanes,
  claimLines,
  type ClaimedRow,
  type ClaimInput,
  type GateRow,
  lockGates,
  readGates,
  spendGates,
} from "./queue/claim-store.ts";
import { lookupLanes, type ReadyLane } from "./queue/lane-store.ts";
import { closeDisabled, releaseDeliveries } from "./queue/store.ts";
import { shareOut } from "./share-out.ts";
import type { HandOff, Target } from "./target.ts";

export type ClaimContext = {
  readonly db: Db;
  readonly ids: Ids;
  readonly book: EndpointBook;
  /** What this process can still take: in all, for a tenant, and for endpoints it was busy with lately. */
  readonly room: Pick<Lanes, "free" | "freeOf" | "knownRoom">;
  /** Bytes of bodies that this claim may bring; the last of them may go beyond. */
  readonly bytesFree: () => number;
  /** Where lanes begin. */
  readonly marks: Marks;
  /** Retries that this claim may take, at most. */
  readonly retries: () => number;
  /** Processes that deliver. */
  readonly workers: () => number;
};

export type Claimed = {
  readonly items: readonly HandOff[];
  /** Until the next lane that waits for a time may send; null: none does. */
  readonly waitMs: number | null;
};

/** Takes due deliveries, no more than can start now or in a moment, of endpoints that may send. */
export async function claim(context: ClaimContext): Promise<Claimed> {
  const bytesMax = context.bytesFree();
  if (context.room.free.total <= 0 || bytesMax <= 0) return { items: [], waitMs: null };
  const known = context.room.knownRoom();
  const full = [...known].flatMap(([id, free]) => (free > 0 ? [] : [id]));
  const workers = context.workers();
  const { marks, found } = context.marks.begin();
  const { lanes, waitMs } = await context.db.inTransaction([], (tx) =>
    lookupLanes(tx, { lanesMax: limits.deliveryLanesMax, full, workers, marks, lagMs: limits.deliveryMarkLagMs }),
  );
  found(lanes);
  if (lanes.length === 0) {
    // Nothing to do: the next look has the time to begin at the beginning.
    if (full.length === 0) context.marks.forget();
    return { items: [], waitMs };
  }
  const tenantIds = [...new Set(lanes.map(({ tenantId }) => tenantId))];
  const takeWith = (bodies: ClaimInput["bodies"]) =>
    context.db.inTransaction(tenantIds, (tx) => takeFrom(tx, lanes, { ...context, known, bytesMax, bodies }));
  const items = await takeWith("text").catch((error: unknown) => {
    if (!isNoText(error)) throw error;
    return takeWith("bytes");
  });
  return { items, waitMs };
}

/** SQLSTATE 22021: bytes that are no UTF-8. We write none; should one be there all the same, it must not stop all others. */
function isNoText(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "22021";
}

type Taking = ClaimContext & Pick<ClaimInput, "bodies" | "bytesMax"> & { readonly known: ReadonlyMap<string, number> };

async function takeFrom(tx: Tx, lanes: readonly ReadyLane[], taking: Taking): Promise<HandOff[]> {
  const { ids, book, room, known, bodies, bytesMax } = taking;
  const closed = lanes.filter(({ isClosed }) => isClosed);
  if (closed.length > 0) await closeDisabled(tx, [...new Set(closed.map(({ tenantId }) => tenantId))]);
  const gates = await openGates(tx, lanes);
  const { free } = room;
  const quotas = shareOut(lanes, {
    room: {
      ...free,
      total: Math.min(free.total, limits.deliveryClaimMax),
      retry: Math.min(free.retry, taking.retries()),
    },
    roomOf: room.freeOf,
    freeOf: (lane) =>
      lane.isGated ? (gates.get(lane.endpointId)?.free ?? 0) : (known.get(lane.endpointId) ?? lane.inFlightMax),
  });
  const isOrdered = (quota: EndpointRef) => gates.get(quota.endpointId)?.isOrdered ?? false;
  const input = { claimId: ids.next(), leaseMs: limits.deliveryLeaseMs, bodies, bytesMax };
  const ordered = quotas.filter(isOrdered);
  const rows = await claimLanes(tx, { ...input, quotas: quotas.filter((quota) => !isOrdered(quota)) });
  const bytesLeft = ordered.length === 0 ? 0 : bytesMax - bytesOf(rows);
  if (bytesLeft > 0) rows.push(...(await claimLines(tx, { ...input, bytesMax: bytesLeft, quotas: ordered })));
  await spend(
    tx,
    gates,
    rows.filter(({ body }) => body !== null),
  );
  return handOffsOf(tx, rows, { claimId: input.claimId, book });
}

function bytesOf(rows: readonly ClaimedRow[]): number {
  return rows.reduce((sum, { body }) => sum + Buffer.byteLength(body ?? ""), 0);
}

type OpenGate = GateRow & { readonly free: number };

/** Holds and counts the endpoints that have limits; those that another process just counts get nothing this time. */
async function openGates(tx: Tx, lanes: readonly ReadyLane[]): Promise<Map<string, OpenGate>> {
  const gated = new Map(lanes.filter(({ isGated }) => isGated).map((lane) => [lane.endpointId, lane]));
  if (gated.size === 0) return new Map();
  const held = await lockGates(tx, [...gated.values()]);
  const rows = held.length === 0 ? [] : await readGates(tx, held);
  return new Map(rows.map((row) => [row.endpointId, { ...row, free: allowance(row.gate, row.nowMs, healthRules) }]));
}

async function spend(tx: Tx, gates: ReadonlyMap<string, OpenGate>, rows: readonly ClaimedRow[]): Promise<void> {
  const taken = Map.groupBy(rows, (row) => row.endpoint_id);
  const spent = [...gates.values()].flatMap(({ tenantId, endpointId, gate, nowMs }) => {
    const count = taken.get(endpointId)?.length ?? 0;
    const isProbe = gate.isBreakerOn && gate.health.breaker === "open";
    if (count === 0 || (gate.rate === null && !isProbe)) return [];
    const tokens = gate.rate === null ? null : Math.max(tokensAt(gate, nowMs) - count, 0);
    return [{ tenantId, endpointId, tokens, atMs: nowMs }];
  });
  if (spent.length > 0) await spendGates(tx, spent);
}

/**
 * The rows with their endpoints. Those of an endpoint that was disabled a moment ago go back: the next claim closes them; and so
 * do those for whose bodies there is no room.
 */
async function handOffsOf(
  tx: Tx,
  rows: readonly ClaimedRow[],
  { claimId, book }: { claimId: string; book: EndpointBook },
): Promise<HandOff[]> {
  if (rows.length === 0) return [];
  const targets = await targetsOf(tx, rows, book);
  const lost = rows.filter((row) => row.body === null || !targets.has(row.endpoint_id));
  if (lost.length > 0) {
    const held = lost.map((row) => ({ tenantId: row.tenant_id, deliveryId: row.id, claimId }));
    await releaseDeliveries(tx, held);
  }
  return rows.flatMap((row) => {
    const target = targets.get(row.endpoint_id);
    return target && row.body !== null ? [handOffOf(row, { claimId, target, body: row.body })] : [];
  });
}

/** What is remembered of the endpoints, read anew where that is older than what the claim saw. */
async function targetsOf(tx: Tx, rows: readonly ClaimedRow[], book: EndpointBook): Promise<Map<string, Target>> {
  const tenantIds = [...new Set(rows.map((row) => row.tenant_id))];
  const find = async () => {
    const targets = await book.enabled(tx, tenantIds);
    return new Map([...targets.values()].flat().map((target) => [target.id, target]));
  };
  const known = await find();
  if (rows.every((row) => known.get(row.endpoint_id)?.version === row.endpoint_version)) return known;
  for (const tenantId of tenantIds) book.forget(tenantId);
  const fresh = await find();
  // Sent although the endpoint is disabled, because somebody said so.
  const missing = [...new Set(rows.map((row) => row.endpoint_id))].filter((id) => !fresh.has(id));
  if (missing.length > 0) for (const target of await book.named(tx, tenantIds, missing)) fresh.set(target.id, target);
  return fresh;
}

function handOffOf(
  row: ClaimedRow,
  { claimId, target, body }: { claimId: string; target: Target; body: string | Buffer },
): HandOff {
  return {
    tenantId: row.tenant_id,
    deliveryId: row.id,
    claimId,
    messageId: row.message_id,
    type: row.type,
    receivedAtMs: row.received_ms,
    target,
    form: row.form,
    body: typeof body === "string" ? Buffer.from(body) : body,
    attemptCount: row.attempt_count,
    manualCount: row.manual_count,
    isManual: row.is_manual,
    isRetry: row.is_retry,
    isCounted: row.is_original && !row.is_manual,
    lostCount: row.lost_count,
    wasExhausted: row.was_exhausted,
    orderKey: row.order_key ?? (row.call_id && toPublicId("call", row.call_id)),
    sequence: row.sequence,
    gap: row.gap,
    traceparent: row.traceparent,
    lateMs: row.late_ms,
  };
}
