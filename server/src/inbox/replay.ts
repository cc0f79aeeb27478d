import type { AfterCommit } from "#/calls/change.ts";
import { advance, join, nothingKnown, stateOf } from "#/calls/state.ts";
import type { CallState } from "#/calls/state.ts";
import type { Tx } from "#/db/transaction.ts";

import type { Applied, CallWork } from "./apply-events.ts";
import type { Entry } from "./entries.ts";
import { entryOf } from "./match-calls.ts";
import { applyEntries } from "./store-batch.ts";
import type { BatchContext } from "./store-batch.ts";
import { eventsOfCalls, insertApplications } from "./store.ts";
import type { StoredEvent } from "./store.ts";

/** What running a stored event again did. */
export type Replayed = {
  readonly eventId: string;
  readonly result: "changed" | "unchanged" | "none";
  readonly applied: Applied | null;
  readonly problem: string | null;
};

/**
 * Runs parser and reducer over stored bytes again. No event is made: the calls they speak of are computed anew from all their
 * events, so that what an older parser misread is corrected. A call that was over stays over, and nothing is announced twice.
 */
export async function replayEvents(
  tx: Tx,
  context: BatchContext,
  events: readonly StoredEvent[],
): Promise<{ replayed: Replayed[]; afterCommit: AfterCommit[] }> {
  const entries: Entry[] = [];
  const unreadable: StoredEvent[] = [];
  for (const stored of events) {
    const again = await context.reread(stored);
    if (again) entries.push(entryOf(stored, again, "replay"));
    else unreadable.push(stored);
  }
  const { applied, afterCommit } = await applyEntries(tx, context, entries, {
    rebuild: (work) => rebuild(tx, context, work),
  });
  await insertApplications(
    tx,
    unreadable.map((stored) => failed(context.newId(), stored)),
  );
  const callOf = new Map(applied.flatMap((one) => one.work.items.map((item) => [item.eventId, one] as const)));
  const problems = new Map(entries.map((entry) => [entry.eventId, entry.problem]));
  const replayed = events.map((stored): Replayed => {
    const one = callOf.get(stored.id) ?? null;
    const problem = problems.has(stored.id) ? (problems.get(stored.id) ?? null) : unreadableProblem;
    const result = one ? (one.records.length > 0 ? "changed" : "unchanged") : "none";
    return { eventId: stored.id, result, applied: one, problem };
  });
  return { replayed, afterCommit };
}

const unreadableProblem = "The stored body cannot be read any more, or its source is gone";

/** A call with more events than this keeps its state, and the replayed events are joined to it. */
const rebuiltEventsMax = 2_000;

async function rebuild(
  tx: Tx,
  context: BatchContext,
  { tenantId, known, doubles }: CallWork,
): Promise<CallState | null> {
  if (!known) return null;
  const records = [known, ...doubles];
  const events = await eventsOfCalls(
    tx,
    tenantId,
    records.map((record) => record.id),
    rebuiltEventsMax + 1,
  );
  if (events.length > rebuiltEventsMax) return null;
  let state = records.map((record) => toldOnly(record.state)).reduce(join, nothingKnown);
  for (const stored of events) {
    const again = await context.reread(stored);
    if (!again) return null;
    const by = `${stored.source_id}:${stored.key}`;
    state = join(
      state,
      stateOf({ event: again.event, eventId: stored.id, by, receivedAt: stored.received_at.getTime() }),
    );
  }
  return advance(records.map((record) => record.state).reduce(join, nothingKnown), state);
}

/** What came over our own API or was found out by the call's pipeline has no event to be read again: its claims stay. */
function toldOnly(state: CallState): CallState {
  const facts = Object.fromEntries(Object.entries(state.facts).filter(([, claim]) => claim && isOurs(claim.by)));
  const final = state.final?.by.startsWith("api:") ? state.final : null;
  return { ...nothingKnown, facts, final };
}

function isOurs(by: string): boolean {
  return ["api:", "pipeline:", "recording:"].some((origin) => by.startsWith(origin));
}

function failed(id: string, stored: StoredEvent) {
  return {
    tenant_id: stored.tenant_id,
    id,
    event_id: stored.id,
    call_id: null,
    cause: "replay" as const,
    status_after: null,
    outcome_after: null,
    problem: unreadableProblem,
  };
}
