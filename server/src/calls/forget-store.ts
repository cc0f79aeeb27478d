import type { Tx } from "#/db/transaction.ts";
import type { FactName } from "#/providers/provider.ts";

import type { CallChange } from "./change.ts";
import { isOver, project } from "./project.ts";
import { type CallRecord, changedAt } from "./record.ts";
import { loadCall, lockCalls, saveCalls } from "./store.ts";

/** What stays of an erased call: that there was one, when, how long, which way and how it ended. Nothing about people. */
const kept: ReadonlySet<FactName> = new Set<FactName>([
  "direction",
  "started_at",
  "answered_at",
  "ended_at",
  "duration_ms",
  "cost",
  "cost_credits",
  "cost_lines",
  "awaits_recording",
  "answered_by",
  "has_sip_participant",
  "room_created_at",
  "purpose",
  "is_quiet",
]);

/**
 * A call and the doubles that were merged into it, all locked before anything else is, as intake does; the first is the call
 * itself. Null when the tenant has none.
 */
export async function callWithDoubles(tx: Tx, tenantId: string, id: string): Promise<string[] | null> {
  const call = await loadCall(tx, tenantId, id);
  if (!call) return null;
  const rows = await tx.rows<{ id: string }>("select id from calls where tenant_id = $1 and merged_into = $2", [
    tenantId,
    call.id,
  ]);
  const ids = [call.id, ...rows.map((row) => row.id)];
  await lockCalls(tx, [tenantId], ids);
  return ids;
}

/**
 * Takes everything about people out of calls, their transcripts and what they are found by. Nothing that is heard of an erased
 * call moves it, so one that was not over is so from `now` on (epoch milliseconds): its end will never be known. Gives how many
 * transcripts that were, and which calls were closed.
 */
export async function forgetCalls(
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
  now: number,
): Promise<{ readonly rows: number; readonly closed: CallChange[] }> {
  const locked = [...(await lockCalls(tx, [tenantId], ids)).values()];
  const emptied = locked.map((record) => [record, emptiedOf(record, now)] as const);
  await saveCalls(
    tx,
    emptied.map(([, after]) => after),
  );
  await tx.run(
    `update calls c set erased_at = at.later, updated_at = at.later
       from (select id, greatest(now(), updated_at + interval '1 ms') as later from calls
              where tenant_id = $1 and id = any ($2::uuid[])) as at
      where c.tenant_id = $1 and c.id = at.id`,
    [tenantId, ids],
  );
  await tx.run("delete from call_search where tenant_id = $1 and call_id = any ($2::uuid[])", [tenantId, ids]);
  const gone = "delete from transcripts where tenant_id = $1 and call_id = any ($2::uuid[])";
  return {
    rows: await tx.run(gone, [tenantId, ids]),
    closed: emptied
      .filter(([before, after]) => !before.mergedInto && isOpen(before) && !isOpen(after))
      .map(([before, after]) => ({
        ...{ type: "call.erased", tenantId, before, after, aliases: [], transcript: null, receivedAt: now },
      })),
  };
}

function emptiedOf(record: CallRecord, now: number): CallRecord {
  const { state } = record;
  const facts = Object.fromEntries(Object.entries(state.facts).filter(([name]) => kept.has(name as FactName)));
  const at = changedAt(record, now);
  const never = { status: "timeout", outcome: null, weight: 0, at, received_at: at, by: "erasure" } as const;
  const final = isOpen(record) ? never : state.final;
  return { ...record, version: record.version + 1, state: { ...state, facts, final, transcript: null, moments: [] } };
}

function isOpen({ state }: CallRecord): boolean {
  return !isOver(project(state).status);
}

/** Why a call must be kept; null when nothing forbids to erase it. */
export async function holdReason(tx: Tx, tenantId: string, id: string): Promise<string | null> {
  const rows = await tx.rows<{ hold_reason: string | null }>(
    "select hold_reason from calls where tenant_id = $1 and id = $2",
    [tenantId, id],
  );
  return rows[0]?.hold_reason ?? null;
}

/** Sets or, with null, lifts what forbids to erase a call. */
export async function setHold(tx: Tx, tenantId: string, id: string, reason: string | null): Promise<void> {
  await tx.run("update calls set hold_reason = $3 where tenant_id = $1 and id = $2", [tenantId, id, reason]);
}

/** Calls that ended longer ago than this and were not erased yet, oldest first. */
export async function callsToForget(tx: Tx, tenantId: string, days: number, limit: number): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(
    `select id from calls
      where tenant_id = $1 and erased_at is null and hold_reason is null and merged_into is null
        and updated_at < now() - $2 * interval '1 day'
      order by id limit $3`,
    [tenantId, days, limit],
  );
  return rows.map((row) => row.id);
}

/** Erased calls that something was written about afterwards. */
export async function erasedCallsWithLateData(
  tx: Tx,
  tenantId: string,
  days: number,
  limit: number,
): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(
    `select c.id from calls c
      where c.tenant_id = $1 and c.erased_at > now() - $2 * interval '1 day' and c.merged_into is null
        and (c.updated_at > c.erased_at
             or exists (select from events e where e.tenant_id = $1 and e.call_id = c.id and e.body_digest is null)
             or exists (select from transcripts t where t.tenant_id = $1 and t.call_id = c.id)
             or exists (select from call_moments m where m.tenant_id = $1 and m.call_id = c.id)
             or exists (select from call_search s where s.tenant_id = $1 and s.call_id = c.id)
             or exists (select from step_results p where p.tenant_id = $1 and p.call_id = c.id and p.output is not null)
             or exists (select from analysis_runs r where r.tenant_id = $1 and r.call_id = c.id and r.created_at > c.erased_at))
      order by c.id limit $3`,
    [tenantId, days, limit],
  );
  return rows.map((row) => row.id);
}
