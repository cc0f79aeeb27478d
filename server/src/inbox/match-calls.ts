import { findAliases, insertAliases, redirectAliases } from "#/calls/alias-store.ts";
import type { TenantAlias } from "#/calls/alias-store.ts";
import { correlate, nameOf } from "#/calls/correlate.ts";
import type { Group } from "#/calls/correlate.ts";
import type { CallRecord } from "#/calls/record.ts";
import { lockCalls } from "#/calls/store.ts";
import { together } from "#/db/transaction.ts";
import type { Tx } from "#/db/transaction.ts";
import type { CallEvent } from "#/providers/provider.ts";

import type { CallWork } from "./apply-events.ts";
import { undecided } from "./entries.ts";
import type { Entry } from "./entries.ts";
import { takeUnmatched } from "./store.ts";
import type { StoredEvent } from "./store.ts";

/** Reads a stored event again with today's parser; null when its source is gone or its bytes make no sense any more. */
export type Reread = (
  stored: StoredEvent,
) => Promise<{ readonly event: CallEvent; readonly userId: string | null } | null>;

/**
 * Finds the call of each event by the names it carries, gives new names, wakes events that waited for one of them, and locks
 * the calls. Events that may not create a call and know no existing one belong to no group's call: they will wait.
 * `callIds` is what {@link lookUp} found, and grows here.
 */
export async function matchCalls(
  tx: Tx,
  batch: readonly Entry[],
  callIds: Map<string, string>,
  { newId, reread }: { newId: () => string; reread: Reread },
): Promise<CallWork[]> {
  const entries = batch.filter(
    (entry) => entry.aliases.length > 0 && entry.training?.result !== "unknown_session" && entry.standing !== "repeat",
  );
  const born = new Set<string>();
  const bear = () => {
    const id = newId();
    born.add(id);
    return id;
  };
  for (let round = 0; round < roundsMax; round++) {
    const groups = correlate(entries, (name) => callIds.get(name));
    const wanted = namesWanted(groups, callIds, bear);
    const [inserted, waiting] = await together([insertAliases(tx, wanted), takeUnmatched(tx, wanted)]);
    await noteNames(tx, wanted, inserted, callIds);
    const woken = await readAgain(waiting, reread);
    if (woken.length === 0) break;
    entries.push(...woken);
    for (const [name, callId] of await lookUp(tx, woken)) callIds.set(name, callId);
  }
  const groups = correlate(entries, (name) => callIds.get(name));
  return lockWork(tx, groups, born);
}

/** A woken event may carry names that wake others; a chain longer than this goes on with the next event of the call. */
const roundsMax = 3;

/** Which calls the names of these events belong to so far. */
export async function lookUp(tx: Tx, entries: readonly Entry[]): Promise<Map<string, string>> {
  const names = new Map<string, TenantAlias>();
  for (const { tenantId, aliases } of entries) {
    for (const alias of aliases) names.set(nameOf(tenantId, alias), { tenantId, alias });
  }
  return findAliases(tx, [...names.values()]);
}

type WantedName = TenantAlias & { readonly callId: string; readonly isNewCall: boolean };

/** The names that nobody has given yet, of calls that exist or that these events may make. */
function namesWanted(
  groups: readonly Group<Entry>[],
  callIds: ReadonlyMap<string, string>,
  newId: () => string,
): WantedName[] {
  return groups.flatMap((group) => {
    const isNewCall = group.callIds.length === 0;
    if (isNewCall && !group.items.some((item) => item.mayCreateCalls)) return [];
    const callId = group.callIds[0] ?? newId();
    const missing = [...group.aliases].filter(([name]) => !callIds.has(name));
    return missing.map(([, alias]) => ({ tenantId: group.tenantId, alias, callId, isNewCall }));
  });
}

/** Learns which names were ours to give, and who has those that another transaction gave in the meantime. */
async function noteNames(
  tx: Tx,
  wanted: readonly WantedName[],
  inserted: ReadonlySet<string>,
  callIds: Map<string, string>,
): Promise<void> {
  const lost: WantedName[] = [];
  for (const one of wanted) {
    const name = nameOf(one.tenantId, one.alias);
    if (inserted.has(name)) callIds.set(name, one.callId);
    else lost.push(one);
  }
  for (const [name, callId] of await findAliases(tx, lost)) callIds.set(name, callId);
  for (const { tenantId, alias, callId, isNewCall } of lost) {
    const winner = callIds.get(nameOf(tenantId, alias));
    if (!isNewCall || !winner || winner === callId) continue;
    await redirectAliases(tx, tenantId, callId, winner);
    for (const [name, owner] of callIds) if (owner === callId) callIds.set(name, winner);
  }
}

async function readAgain(waiting: readonly StoredEvent[], reread: Reread): Promise<Entry[]> {
  const woken: Entry[] = [];
  for (const stored of waiting) {
    const again = await reread(stored);
    if (again) woken.push(entryOf(stored, again));
  }
  return woken;
}

/** A stored event as an entry: everything but the log row happens to it as to a new one. */
export function entryOf(
  stored: StoredEvent,
  again: { readonly event: CallEvent; readonly userId: string | null },
  standing: "matched" | "replay" = "matched",
): Entry {
  return undecided({
    arrival: null,
    tenantId: stored.tenant_id,
    sourceId: stored.source_id,
    provider: stored.provider,
    route: stored.route,
    mayCreateCalls: standing === "replay" && stored.route === "own",
    userId: again.userId,
    event: again.event,
    part: stored.part,
    key: stored.key,
    receivedAt: stored.received_at.getTime(),
    url: stored.url,
    headers: new Map(Object.entries(stored.headers)),
    body: stored.body,
    verification: "",
    eventId: stored.id,
    standing,
  });
}

/** Locks what exists, oldest first, and pairs each group with its records. What was `born` here nobody else can know yet. */
async function lockWork(tx: Tx, groups: readonly Group<Entry>[], born: ReadonlySet<string>): Promise<CallWork[]> {
  const ids = [...new Set(groups.flatMap((group) => group.callIds))].filter((id) => !born.has(id)).toSorted();
  const locked = await lockCalls(
    tx,
    groups.map((group) => group.tenantId),
    ids,
  );
  const work: CallWork[] = [];
  for (const { tenantId, items, aliases, callIds } of groups) {
    const records = new Map(callIds.flatMap((id) => survivor(locked, id) ?? []).map((record) => [record.id, record]));
    const oldestFirst = [...records.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const erased = oldestFirst.find((record) => record.isErased);
    // An erased call takes no other in: what the other says would be its own again.
    const [known, ...doubles] = erased ? [erased] : oldestFirst;
    const [newId, ...strays] = [...(known ? [known.id] : []), ...callIds.filter((id) => !locked.has(id))];
    if (!newId) continue;
    for (const stray of strays) await redirectAliases(tx, tenantId, stray, newId);
    work.push({ tenantId, items, aliases: [...aliases.values()], known: known ?? null, callId: newId, doubles });
  }
  return work;
}

function survivor(locked: ReadonlyMap<string, CallRecord>, id: string): CallRecord | undefined {
  const record = locked.get(id);
  return record?.mergedInto ? (locked.get(record.mergedInto) ?? record) : record;
}
