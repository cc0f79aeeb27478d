import type { CallMoment } from "@aftercall/contract/moment.ts";

import { plainColumn, textColumn } from "#/db/columns.ts";
import type { Tx } from "#/db/transaction.ts";
import { jsonbText } from "#/kernel/jsonb.ts";
import type { Moment } from "#/providers/moment.ts";

import { momentsIn } from "./moments.ts";
import type { CallRecord } from "./record.ts";

/** What one event told of the inside of a call. */
export type KeptMoments = {
  readonly moments: readonly Moment[];
  /** Without personal data; null where nothing masked it. */
  readonly masked: readonly Moment[] | null;
};

export type NewMoments = {
  readonly tenantId: string;
  readonly callId: string;
  readonly eventId: string;
  readonly moments: readonly Moment[];
};

/** Keeps what events told; applying one again changes nothing, and what was masked in its place stays masked. */
export async function saveMoments(tx: Tx, rows: readonly NewMoments[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.run(
    `insert into call_moments (tenant_id, event_id, call_id, moments)
     select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::json[])
     on conflict (tenant_id, event_id) do update set call_id = excluded.call_id, moments = excluded.moments, masked = null
      where not call_moments.is_masked_only and call_moments.moments::text <> excluded.moments::text`,
    [
      plainColumn(rows.map((row) => row.tenantId)),
      plainColumn(rows.map((row) => row.eventId)),
      plainColumn(rows.map((row) => row.callId)),
      textColumn(rows.map((row) => jsonbText(row.moments))),
    ],
    "calls.save-moments",
  );
}

/** What is kept of the inside of calls, by the event that told it. */
export async function loadMoments(tx: Tx, records: readonly CallRecord[]): Promise<Map<string, KeptMoments>> {
  const tellers = records.flatMap(({ state }) => state.moments.map(({ value }) => value.event_id));
  if (tellers.length === 0) return new Map();
  const rows = await tx.rows<KeptMoments & { event_id: string }>(
    `select event_id, moments, case when is_masked_only then moments else masked end as masked
       from call_moments where tenant_id = any ($1::uuid[]) and event_id = any ($2::uuid[])`,
    [[...new Set(records.map(({ tenantId }) => tenantId))], tellers],
    "calls.load-moments",
  );
  return new Map(rows.map(({ event_id, ...kept }) => [event_id, kept]));
}

/**
 * What happened inside a call as people may see it: masked where it was masked, and nothing where it had to be and could not.
 */
export async function shownMoments(tx: Tx, record: CallRecord): Promise<CallMoment[]> {
  const kept = await loadMoments(tx, [record]);
  if (kept.size === 0) return [];
  const { tenantId, id, state } = record;
  const withheld = await tx.rows("select 1 from pipelines where tenant_id = $1 and call_id = $2 and is_withheld", [
    tenantId,
    id,
  ]);
  if (withheld.length > 0) return [];
  return momentsIn(state, new Map([...kept].map(([event, { moments, masked }]) => [event, masked ?? moments])));
}

/** Keeps what events told without personal data beside what they told. */
export async function saveMaskedMoments(
  tx: Tx,
  tenantId: string,
  masked: ReadonlyMap<string, readonly Moment[]>,
): Promise<void> {
  if (masked.size === 0) return;
  await tx.run(
    `update call_moments m set masked = r.masked
       from unnest($2::uuid[], $3::json[]) as r (event_id, masked)
      where m.tenant_id = $1 and m.event_id = r.event_id and not m.is_masked_only`,
    [tenantId, plainColumn([...masked.keys()]), textColumn([...masked.values()].map((one) => jsonbText(one)))],
  );
}

/** Puts the masked words into the place of the others, for good. */
export async function keepMaskedMomentsOnly(tx: Tx, tenantId: string, eventIds: readonly string[]): Promise<void> {
  if (eventIds.length === 0) return;
  await tx.run(
    `update call_moments set moments = masked, masked = null, is_masked_only = true
      where tenant_id = $1 and event_id = any ($2::uuid[]) and masked is not null`,
    [tenantId, eventIds],
  );
}

/** Takes away what happened inside calls. Gives how many events had told of it. */
export async function forgetMoments(tx: Tx, tenantId: string, callIds: readonly string[]): Promise<number> {
  return tx.run("delete from call_moments where tenant_id = $1 and call_id = any ($2::uuid[])", [tenantId, callIds]);
}
