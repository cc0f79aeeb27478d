import { aliasesOf } from "#/calls/alias-store.ts";
import type { AfterCommit, Change, Settling } from "#/calls/change.ts";
import { saveMoments } from "#/calls/moment-store.ts";
import { isOver, project } from "#/calls/project.ts";
import { viewOf } from "#/calls/record.ts";
import type { CallState } from "#/calls/state.ts";
import { readCalls, saveCalls, saveTranscripts } from "#/calls/store.ts";
import { together } from "#/db/transaction.ts";
import type { Tx } from "#/db/transaction.ts";
import type { CallView, EventResult } from "#/providers/provider.ts";

import { applyEvents } from "./apply-events.ts";
import type { Applied, CallWork } from "./apply-events.ts";
import type { Arrival, IntakeHooks, Outcome } from "./arrival.ts";
import { claimTraining, decideStanding, entriesOf } from "./entries.ts";
import type { Entry } from "./entries.ts";
import { emptyEvents } from "./forget-store.ts";
import { keptHeaders } from "./headers.ts";
import { lookUp, matchCalls } from "./match-calls.ts";
import type { Reread } from "./match-calls.ts";
import { callsOfEvents, insertApplications, insertEvents, insertUnmatched, markForRetry } from "./store.ts";
import type { ApplicationRow, EventRow, UnmatchedRow } from "./store.ts";

export type BatchContext = {
  readonly newId: () => string;
  readonly now: () => number;
  readonly reread: Reread;
  readonly hooks: IntakeHooks;
  /** Who says that a call is settled. */
  readonly settling: Exclude<Settling, "due">;
};

/**
 * The intake transaction: stores each event once, moves the calls they speak of, and writes everything that follows.
 * Locks are taken in one order everywhere: event keys, training sessions, call names, calls, campaigns; each sorted.
 */
export async function storeBatch(
  tx: Tx,
  context: BatchContext,
  arrivals: readonly Arrival[],
): Promise<{ outcomes: Outcome[]; afterCommit: AfterCommit[] }> {
  const entries = entriesOf(arrivals, context.newId);
  const [, named] = await together([decideStanding(tx, entries), lookUp(tx, entries)]);
  await claimTraining(tx, entries, context.hooks);
  const { applied, afterCommit } = await applyEntries(tx, context, entries, { named });
  return { outcomes: outcomesOf(arrivals, entries, applied, await viewsOfRepeats(tx, entries)), afterCommit };
}

export type ApplyOptions = {
  /** Which names were found already. */
  readonly named?: Map<string, string>;
  /** May start a call from another state than the stored one. */
  readonly rebuild?: (work: CallWork) => Promise<CallState | null>;
};

/** Applies entries to their calls and writes everything that follows. */
export async function applyEntries(
  tx: Tx,
  context: BatchContext,
  entries: readonly Entry[],
  { named, rebuild = async () => null }: ApplyOptions = {},
): Promise<{ applied: Applied[]; afterCommit: AfterCommit[] }> {
  const work = await matchCalls(tx, entries, named ?? (await lookUp(tx, entries)), context);
  const applied = await applyEvents(tx, work, context, rebuild);
  const records = applied.flatMap((one) => one.records);
  const heard = applied.filter(({ record }) => !record.isErased);
  const changes = [
    ...applied.flatMap((one) => one.changes),
    ...spokenTurns(heard),
    ...trainingChanges(entries, applied),
  ];
  const [, , , , afterCommit] = await together([
    saveCalls(tx, records),
    saveTranscripts(tx, transcriptsOf(heard, context)),
    saveMoments(tx, momentsOf(heard)),
    logEvents(tx, entries, applied, context),
    context.hooks.react(tx, changes),
  ]);
  return { applied, afterCommit };
}

function transcriptsOf(applied: readonly Applied[], context: BatchContext) {
  return applied.flatMap(({ work, record }) =>
    work.items.flatMap((item) =>
      item.event.transcript
        ? [
            {
              ...item.event.transcript,
              id: context.newId(),
              tenantId: work.tenantId,
              callId: record.id,
              eventId: item.eventId,
              origin: item.provider,
            },
          ]
        : [],
    ),
  );
}

function momentsOf(applied: readonly Applied[]) {
  return applied.flatMap(({ work: { tenantId, items }, record }) =>
    items.flatMap(({ event: { moments }, eventId }) =>
      moments.length > 0 ? [{ tenantId, callId: record.id, eventId, moments }] : [],
    ),
  );
}

/** What new events hear being said in calls that are not over. */
function spokenTurns(applied: readonly Applied[]): Change[] {
  return applied.flatMap(({ work, record, aliases }) =>
    work.items.flatMap(({ event: { turn }, standing, tenantId, receivedAt }) =>
      turn && standing === "new" && !isOver(project(record.state).status)
        ? [{ type: "turn.spoken" as const, tenantId, call: record, aliases, turn, receivedAt }]
        : [],
    ),
  );
}

/** Writes the log rows of new events, the later effects of stored ones, and who still waits for a call. */
async function logEvents(
  tx: Tx,
  entries: readonly Entry[],
  applied: readonly Applied[],
  context: BatchContext,
): Promise<void> {
  const callOf = callsByEntry(applied);
  const items = [...new Set([...entries, ...applied.flatMap((one) => one.work.items)])];
  const logged: { row: EventRow; body: Buffer }[] = [];
  const waiting: UnmatchedRow[] = [];
  const later: ApplicationRow[] = [];
  for (const item of items) {
    const call = callOf.get(item);
    const after = {
      call_id: call?.record.id ?? null,
      status_after: item.after?.status ?? null,
      outcome_after: item.after?.outcome ?? null,
      problem: item.problem,
    };
    if (item.standing === "new") {
      logged.push({ row: { ...rowOf(item), effect: effectOf(item, call), ...after }, body: item.body });
      if (effectOf(item, call) === "unmatched") waiting.push(...waitingFor(item));
    } else if (item.standing !== "repeat" && item.standing !== "told") {
      const cause = item.standing;
      later.push({ tenant_id: item.tenantId, id: context.newId(), event_id: item.eventId, cause, ...after });
    }
  }
  await insertEvents(tx, logged);
  await insertUnmatched(tx, waiting);
  await insertApplications(tx, later);
  await emptyErased(tx, applied);
  const tenants = [...new Set(items.map((item) => item.tenantId))];
  const failed = items.filter((item) => item.problem && item.standing === "new");
  const mended = items.filter((item) => !item.problem && item.standing === "retry");
  await markForRetry(
    tx,
    tenants,
    failed.map((item) => item.eventId),
    true,
  );
  await markForRetry(
    tx,
    tenants,
    mended.map((item) => item.eventId),
    false,
  );
}

/** What is heard of an erased call is written down without its bytes. */
async function emptyErased(tx: Tx, applied: readonly Applied[]): Promise<void> {
  for (const { work, record } of applied) {
    if (record.isErased)
      await emptyEvents(
        tx,
        work.tenantId,
        work.items.map((item) => item.eventId),
      );
  }
}

function rowOf(item: Entry) {
  return {
    tenant_id: item.tenantId,
    id: item.eventId,
    source_id: item.sourceId,
    provider: item.provider,
    type: item.event.type,
    key: item.key,
    part: item.part,
    occurred_at: item.event.occurredAt === null ? null : new Date(item.event.occurredAt).toISOString(),
    received_at: new Date(item.receivedAt).toISOString(),
    route: item.route,
    url: item.url,
    content_type: item.headers.get("content-type")?.[0] ?? "",
    headers: keptHeaders(item.headers),
    verification: item.verification,
  };
}

function effectOf(item: Entry, call: Applied | undefined): EventRow["effect"] {
  if (item.training?.result === "unknown_session") return "unmatched";
  if (item.problem) return "recorded";
  if (call) return call.record.isErased ? "recorded" : "applied";
  return item.event.aliases.length > 0 ? "unmatched" : "recorded";
}

function waitingFor(item: Entry): UnmatchedRow[] {
  const { tenantId, eventId } = item;
  if (item.training?.result === "unknown_session") {
    return [{ tenantId, eventId, kind: "training_session", value: item.training.sessionId }];
  }
  return item.event.aliases.map(({ kind, value }) => ({ tenantId, eventId, kind, value }));
}

function trainingChanges(entries: readonly Entry[], applied: readonly Applied[]): Change[] {
  const callOf = callsByEntry(applied);
  return entries.flatMap((entry) =>
    entry.training?.result === "claimed"
      ? [
          {
            type: "training.requested" as const,
            tenantId: entry.tenantId,
            sessionId: entry.training.sessionId,
            communicationId: entry.training.communicationId,
            callId: callOf.get(entry)?.record.id ?? null,
          },
        ]
      : [],
  );
}

/** The calls of events that were stored before, as they stand: a repeat is answered by what the first one did. */
async function viewsOfRepeats(tx: Tx, entries: readonly Entry[]): Promise<Map<string, CallView>> {
  const repeats = entries.filter((entry) => entry.standing === "repeat" && !entry.sameAs);
  if (repeats.length === 0) return new Map();
  const tenants = [...new Set(repeats.map((entry) => entry.tenantId))];
  const callIds = await callsOfEvents(
    tx,
    tenants,
    repeats.map((entry) => entry.eventId),
  );
  const records = await readCalls(tx, tenants, [...new Set(callIds.values())]);
  const aliases = await aliasesOf(tx, tenants, [...records.keys()]);
  return new Map(
    [...callIds].flatMap(([eventId, callId]) => {
      const found = records.get(callId);
      const record = found?.mergedInto ? records.get(found.mergedInto) : found;
      return record ? [[eventId, viewOf(record, aliases.get(record.id) ?? [])] as const] : [];
    }),
  );
}

function outcomesOf(
  arrivals: readonly Arrival[],
  entries: readonly Entry[],
  applied: readonly Applied[],
  repeated: ReadonlyMap<string, CallView>,
): Outcome[] {
  const callOf = callsByEntry(applied);
  const results = new Map<Arrival, EventResult[]>(arrivals.map((arrival) => [arrival, []]));
  for (const entry of entries) {
    if (!entry.arrival) continue;
    const first = entry.sameAs ?? entry;
    const applicable = callOf.get(first);
    const call = applicable ? viewOf(applicable.record, applicable.aliases) : (repeated.get(first.eventId) ?? null);
    const isWaiting = !call && (first.event.aliases.length > 0 || entry.training?.result === "unknown_session");
    // Of an erased call nothing is new, and nothing that came with this is kept.
    const isHeard = entry.standing === "repeat" || applicable?.record.isErased === true;
    results.get(entry.arrival)?.push({
      event: entry.event,
      eventId: entry.eventId,
      effect: !isHeard ? effectOf(entry, applicable) : isWaiting ? "unmatched" : "repeat",
      call,
      training: entry.training?.result ?? null,
      problem: first.problem,
    });
  }
  return arrivals.map((arrival) => results.get(arrival) ?? []);
}

function callsByEntry(applied: readonly Applied[]): Map<Entry, Applied> {
  return new Map(applied.flatMap((one) => one.work.items.map((item) => [item, one] as const)));
}

/**
 * Stores events whose effect cannot be applied, with their bytes and the reason, so that nothing is lost and a repeat or a
 * replay can try again.
 */
export async function storeUnapplied(
  tx: Tx,
  context: BatchContext,
  arrivals: readonly Arrival[],
  problem: string,
): Promise<Outcome[]> {
  const entries = entriesOf(arrivals, context.newId);
  await decideStanding(tx, entries);
  for (const entry of entries) if (entry.standing !== "repeat") entry.problem = problem;
  await logEvents(tx, entries, [], context);
  return outcomesOf(arrivals, entries, [], await viewsOfRepeats(tx, entries));
}
