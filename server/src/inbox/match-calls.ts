import { findAliases, insertAliases, redirectAliases } from "#/calls/alias-store.ts";
import type { TenantAlias } from "#/calls/alias-store.ts";
import { correlate, nameOf } from "#/calls/correlate.ts";
import type { Group } from "#/calls/correlate.ts";
import type { CallRecord } from "#/calls/record.ts";
import { lockCalls } from "#/calls/store.ts";
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
 */
export async function matchCalls(
  tx: Tx,
  batch: readonly Entry[],
  { newId, reread }: { newId: () => string; reread: Reread },
): Promise<CallWork[]> {
  const entries = batch.filter(
    (entry) => entry.aliases.length > 0 && entry.training?.result !== "unknown_session" && entry.standing !== "repeat",
  );
  const callIds = new Map<string, string>();
  const born = new Set<string>();
  await look(tx, entries, callIds);
  for (let round = 0; round < roundsMax; round++) {
    const given = await giveNames(
      tx,
      correlate(entries, (name) => callIds.get(name)),
      callIds,
      () => {
        const id = newId();
        born.add(id);
        return id;
      },
    );
    const woken = await wake(tx, given, reread);
    if (woken.length === 0) break;
    entries.push(...woken);
    await look(tx, woken, callIds);
  }
  return lockWork(
    tx,
    correlate(entries, (name) => callIds.get(name)),
    born,
  );
}

/** A woken event may carry names that wake others; a chain longer than this goes on with the next event of the call. */
const roundsMax = 3;

async function look(tx: Tx, entries: readonly Entry[], callIds: Map<string, string>): Promise<void> {
  const names = new Map<string, TenantAlias>();
  for (const { tenantId, aliases } of entries) {
    for (const alias of aliases) {
      const name = nameOf(tenantId, alias);
      if (!callIds.has(name)) names.set(name, { tenantId, alias });
    }
  }
  for (const [name, callId] of await findAliases(tx, [...names.values()])) callIds.set(name, callId);
}

/** Writes the names that are new, and learns of the ones that another transaction gave in the meantime. */
async function giveNames(
  tx: Tx,
  groups: readonly Group<Entry>[],
  callIds: Map<string, string>,
  newId: () => string,
): Promise<TenantAlias[]> {
  const wanted: (TenantAlias & { callId: string; isNewCall: boolean })[] = [];
  for (const group of groups) {
    const isNewCall = group.callIds.length === 0;
    if (isNewCall && !group.items.some((item) => item.mayCreateCalls)) continue;
    const callId = group.callIds[0] ?? newId();
    for (const [name, alias] of group.aliases) {
      if (!callIds.has(name)) wanted.push({ tenantId: group.tenantId, alias, callId, isNewCall });
    }
  }
  const inserted = await insertAliases(tx, wanted);
  const given = wanted.filter(({ tenantId, alias }) => inserted.has(nameOf(tenantId, alias)));
  for (const { tenantId, alias, callId } of given) callIds.set(nameOf(tenantId, alias), callId);
  const lost = wanted.filter(({ tenantId, alias }) => !inserted.has(nameOf(tenantId, alias)));
  for (const [name, callId] of await findAliases(tx, lost)) callIds.set(name, callId);
  for (const { tenantId, alias, callId, isNewCall } of lost) {
    const winner = callIds.get(nameOf(tenantId, alias));
    if (!isNewCall || !winner || winner === callId) continue;
    await redirectAliases(tx, tenantId, callId, winner);
    for (const [name, owner] of callIds) if (owner === callId) callIds.set(name, winner);
  }
  return given;
}

async function wake(tx: Tx, given: readonly TenantAlias[], reread: Reread): Promise<Entry[]> {
  const woken: Entry[] = [];
  for (const stored of await takeUnmatched(tx, given)) {
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
    const [known, ...doubles] = [...records.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
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
