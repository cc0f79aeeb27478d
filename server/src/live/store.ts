import type { Turn } from "@aftercall/contract/call.ts";
import type { LiveTurn } from "@aftercall/contract/live.ts";

import type { CallChange } from "#/calls/change.ts";
import { cut, longColumn, plainColumn, textColumn } from "#/db/columns.ts";
import type { Tx } from "#/db/transaction.ts";
import { jsonbText } from "#/kernel/jsonb.ts";

import { type Place, readSnapshot } from "./cursor.ts";
import type { CallPayload, CampaignPayload, DeliveryPayload, TurnPayload } from "./payload.ts";

export type ChangeKind = "call" | "transcription" | "campaign" | "delivery" | "endpoint";

export type NewChange = {
  readonly tenant_id: string;
  readonly kind: ChangeKind;
  readonly call_id: string | null;
  readonly campaign_id: string | null;
  readonly payload: CallPayload | TurnPayload | CampaignPayload | DeliveryPayload;
};

export type ChangeRow = {
  readonly tenant_id: string;
  readonly xid: string;
  readonly seq: number;
  readonly kind: ChangeKind;
  readonly call_id: string | null;
  readonly campaign_id: string | null;
  readonly payload: string;
};

/** Writes changes, all of a commit in one statement. Who wrote them rings for the readers once they have committed (db/bell.ts). */
export async function insertChanges(tx: Tx, rows: readonly NewChange[]): Promise<void> {
  if (rows.length === 0) return;
  const payloads = longColumn(rows.map((row) => jsonbText(row.payload)));
  await tx.run(
    `insert into changes (tenant_id, kind, call_id, campaign_id, payload)
     select r.tenant_id, r.kind, r.call_id, r.campaign_id, ${cut("$5", "r.start", "r.length")}::json
       from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $6::int[], $7::int[])
         as r (tenant_id, kind, call_id, campaign_id, start, length)`,
    [
      plainColumn(rows.map((row) => row.tenant_id)),
      plainColumn(rows.map((row) => row.kind)),
      plainColumn(rows.map((row) => row.call_id)),
      plainColumn(rows.map((row) => row.campaign_id)),
      payloads.bytes,
      payloads.starts,
      payloads.lengths,
    ],
    "live.insert-changes",
  );
}

export type Page = {
  readonly rows: readonly ChangeRow[];
  /** What was visible when the page was read. */
  readonly snapshot: string;
  readonly cluster: string;
  /** Database time, epoch milliseconds. */
  readonly at: number;
};

/**
 * Changes that were not visible in `after` and are now, or in `upTo`; of these the ones with a number above `seq`, in the
 * order of their numbers. Each change is in exactly one step from snapshot to snapshot, however late it was committed.
 */
export async function readChanges(
  tx: Tx,
  wanted: {
    readonly tenantIds: readonly string[];
    readonly after: string;
    readonly upTo: string | null;
    readonly seq: number;
    readonly rowsMax: number;
    /** Also what became of deliveries, of which there may be many more than of the rest. */
    readonly withDeliveries: boolean;
  },
): Promise<Page> {
  const { xmax, running } = readSnapshot(wanted.after);
  const found = await tx.rows<Here & { [Name in keyof ChangeRow]: ChangeRow[Name] | null }>(
    `select ${here}, c.* from (select 1) as one left join lateral (
       select tenant_id, xid::text as xid, seq, kind, call_id, campaign_id, payload::text as payload from changes
        where tenant_id = any ($1::uuid[]) and (xid >= $2::xid8 or xid = any ($3::xid8[])) and seq > $4
          and ($5::pg_snapshot is null or pg_visible_in_snapshot(xid, $5))
          and ($7 or kind not in ('delivery', 'endpoint'))
        order by seq limit $6) as c on true order by c.seq`,
    [
      wanted.tenantIds,
      String(xmax),
      running.map(String),
      wanted.seq,
      wanted.upTo,
      wanted.rowsMax,
      wanted.withDeliveries,
    ],
    "live.read-changes",
  );
  return { ...pageOf(found[0]), rows: found.filter((row): row is Here & ChangeRow => row.seq !== null) };
}

/** Where a reader stands that begins now. */
export async function placeNow(tx: Tx): Promise<Place> {
  const [row] = await tx.rows<Here>(`select ${here}`);
  const { cluster, at, snapshot } = pageOf(row);
  return { cluster, at, seen: snapshot, ahead: null };
}

type Here = { readonly here_snapshot: string; readonly here_cluster: string; readonly here_at: number };

const here = `pg_current_snapshot()::text as here_snapshot, (select system_identifier::text from pg_control_system()) as here_cluster,
       (extract(epoch from clock_timestamp()) * 1000)::bigint as here_at`;

function pageOf(row: Here | undefined): Page {
  if (!row) throw new Error("a select without from gave no row");
  return { rows: [], snapshot: row.here_snapshot, cluster: row.here_cluster, at: row.here_at };
}

/**
 * Removes changes of these tenants that are older than `ageMs`, oldest first. Gives how many rows it took, so that the
 * caller knows when nothing is left.
 */
export async function deleteOldChanges(
  tx: Tx,
  tenantIds: readonly string[],
  ageMs: number,
  rowsMax: number,
): Promise<number> {
  return tx.run(
    // Transaction ids grow with time, so the oldest rows are the first of the primary key: no index by age is needed.
    `delete from changes c using unnest($1::uuid[]) as t (id)
      cross join lateral (select tenant_id, xid, seq, created_at from changes where tenant_id = t.id order by xid, seq limit $3) as old
      where c.tenant_id = old.tenant_id and c.xid = old.xid and c.seq = old.seq
        and old.created_at < now() - $2 * interval '1 millisecond'`,
    [tenantIds, ageMs, rowsMax],
  );
}

export type Wanted = {
  /** Our own id, where it is or may be one. */
  readonly callId: string | null;
  readonly identifier: string;
  /** As which names of a call it may be found; null: of any kind. */
  readonly aliasKinds: readonly string[] | null;
};

/** The calls that somebody means, in the order in which they were asked for; null where the tenant has no such call. */
export async function findCalls(
  tx: Tx,
  tenantId: string,
  wanted: readonly Wanted[],
): Promise<readonly (string | null)[]> {
  const names = wanted.flatMap(({ callId, identifier, aliasKinds }, number) => [
    ...(callId === null ? [] : [{ number, callId, kind: null, value: null }]),
    ...(aliasKinds ?? everyKind).map((kind) => ({ number, callId: null, kind, value: identifier })),
  ]);
  if (names.length === 0) return wanted.map(() => null);
  const rows = await tx.rows<{ number: number; id: string }>(
    `select n.number, f.id
       from unnest($2::int[], $3::uuid[], $4::text[], $5::text[]) with ordinality as n (number, call_id, kind, value, place)
      cross join lateral (
        select coalesce(c.merged_into, c.id) as id from calls c where c.tenant_id = $1 and c.id = n.call_id
        union all
        select coalesce(c.merged_into, c.id) from call_aliases a join calls c on c.tenant_id = a.tenant_id and c.id = a.call_id
         where a.tenant_id = $1 and a.kind = n.kind and a.value = n.value
        limit 1) as f order by n.place desc`,
    [
      tenantId,
      plainColumn(names.map(({ number }) => number)),
      plainColumn(names.map(({ callId }) => callId)),
      plainColumn(names.map(({ kind }) => kind)),
      textColumn(names.map(({ value }) => value)),
    ],
    "live.find-calls",
  );
  // From the last to the first, so that what stands first for an identifier counts.
  const found = new Map(rows.map(({ number, id }) => [number, id]));
  return wanted.map((_one, number) => found.get(number) ?? null);
}

/** What was said, by transcript; of long ones the first turns. */
export async function readTurns(
  tx: Tx,
  tenantIds: readonly string[],
  transcriptIds: readonly string[],
  turnsMax: number,
): Promise<Map<string, LiveTurn[]>> {
  const rows = await tx.rows<{ id: string; turns: Turn[] }>(
    "select id, turns from transcripts where tenant_id = any ($1::uuid[]) and id = any ($2::uuid[])",
    [tenantIds, transcriptIds],
    "live.read-turns",
  );
  return new Map(
    rows.map(({ id, turns }) => [
      id,
      turns.slice(0, turnsMax).map(({ role, text, start_ms }) => ({ role, text, start_ms, is_final: true })),
    ]),
  );
}

/** Of these records, those that turned out to be another call, with the call. */
export async function findMerged(
  tx: Tx,
  tenantId: string,
  callIds: readonly string[],
): Promise<readonly { readonly from: string; readonly to: string }[]> {
  return tx.rows(
    `select c.id as "from", c.merged_into as "to" from calls c
      where c.tenant_id = $1 and c.id = any ($2::uuid[]) and c.merged_into is not null`,
    [tenantId, callIds],
    "live.find-merged",
  );
}

type AliasKind = CallChange["aliases"][number]["kind"];

/** The primary key of names begins with the kind, so all kinds are named rather than none. */
const everyKind = Object.keys({
  call_sid: 1,
  sip_call_id: 1,
  vapi_call: 1,
  conversation_id: 1,
  room_sid: 1,
  egress_id: 1,
  sip_participant: 1,
  communication_id: 1,
  generic: 1,
} satisfies Record<AliasKind, 1>);
