import type { Transcript } from "@aftercall/contract/call.ts";

import { cut, longColumn, plainColumn, textColumn } from "#/db/columns.ts";
import type { Tx } from "#/db/transaction.ts";
import { cleanText, jsonbText } from "#/kernel/jsonb.ts";

import { factOf, project } from "./project.ts";
import type { CallRecord } from "./record.ts";
import { isoOf } from "./record.ts";
import { stateFrom, storedState } from "./stored-state.ts";
import type { StoredState } from "./stored-state.ts";

/** A call as the database has it. */
export type CallRow = {
  tenant_id: string;
  id: string;
  provider: string;
  provider_call_id: string;
  state: StoredState;
  announced: string[];
  campaign_id: string | null;
  user_id: string | null;
  merged_into: string | null;
  erased_at: Date | null;
  version: number;
  created_at: Date;
  updated_at: Date;
};

export const callColumns =
  "c.tenant_id, c.id, c.provider, c.provider_call_id, c.state, c.announced, c.campaign_id, c.user_id, c.merged_into, c.erased_at, c.version, c.created_at, c.updated_at";

/**
 * Locks calls in the order of their ids and gives them by id. A call that was merged gives the call it was merged into as
 * well, both locked.
 */
export async function lockCalls(
  tx: Tx,
  tenantIds: readonly string[],
  ids: readonly string[],
): Promise<Map<string, CallRecord>> {
  return callsOf(tx, tenantIds, ids, "for update");
}

/** The same without locking, for answers that change nothing. */
export async function readCalls(
  tx: Tx,
  tenantIds: readonly string[],
  ids: readonly string[],
): Promise<Map<string, CallRecord>> {
  return callsOf(tx, tenantIds, ids, "");
}

async function callsOf(
  tx: Tx,
  tenantIds: readonly string[],
  ids: readonly string[],
  lock: "for update" | "",
): Promise<Map<string, CallRecord>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<CallRow>(
    // Call by call, which is also the order of the locks: while a young table has no statistics, a join reads the whole tenant.
    `with asked as (select id from unnest($2::uuid[]) as a (id)),
          merged as (select m.id from asked cross join lateral
                       (select merged_into as id from calls where tenant_id = any ($1::uuid[]) and id = asked.id limit 1) as m
                      where m.id is not null)
     select c.* from (select id from asked union select id from merged order by id) as wanted
      cross join lateral (select ${callColumns} from calls c
                           where c.tenant_id = any ($1::uuid[]) and c.id = wanted.id limit 1 ${lock}) as c`,
    [[...new Set(tenantIds)], ids],
    `calls.of ${lock}`,
  );
  return new Map(rows.map((row) => [row.id, recordOf(row)]));
}

/** Writes calls, new and known, in one statement. */
export async function saveCalls(tx: Tx, records: readonly CallRecord[]): Promise<void> {
  if (records.length === 0) return;
  const rows = records.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(rowOf);
  const states = longColumn(rows.map((row) => row.state));
  await tx.run(
    `insert into calls (tenant_id, id, provider, provider_call_id, status, outcome, direction, from_number, to_number, started_at,
                        answered_at, ended_at, duration_ms, campaign_id, user_id, business_id, announced, merged_into, version,
                        state, created_at, updated_at)
     select r.tenant_id, r.id, r.provider, r.provider_call_id, r.status, r.outcome, r.direction, r.from_number, r.to_number, r.started_at,
            r.answered_at, r.ended_at, r.duration_ms, r.campaign_id, r.user_id, r.business_id, string_to_array(r.announced, ','),
            r.merged_into, r.version,
            ${cut("$19", "r.state_start", "r.state_length")}::json, r.created_at, r.updated_at
       from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                   $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::bigint[], $14::uuid[], $15::uuid[], $16::text[],
                   $17::uuid[], $18::int[], $20::int[], $21::int[], $22::text[], $23::timestamptz[], $24::timestamptz[]) as r (
            tenant_id, id, provider, provider_call_id, status, outcome, direction, from_number, to_number, started_at, answered_at,
            ended_at, duration_ms, campaign_id, user_id, announced, merged_into, version, state_start, state_length, business_id,
            created_at, updated_at)
     on conflict (tenant_id, id) do update set
            status = excluded.status, outcome = excluded.outcome, direction = excluded.direction, from_number = excluded.from_number,
            to_number = excluded.to_number, started_at = excluded.started_at, answered_at = excluded.answered_at,
            ended_at = excluded.ended_at, duration_ms = excluded.duration_ms, campaign_id = excluded.campaign_id,
            user_id = excluded.user_id, business_id = excluded.business_id, state = excluded.state, announced = excluded.announced, merged_into = excluded.merged_into,
            version = excluded.version, updated_at = excluded.updated_at`,
    [
      plainColumn(rows.map((row) => row.tenant_id)),
      plainColumn(rows.map((row) => row.id)),
      textColumn(rows.map((row) => row.provider)),
      textColumn(rows.map((row) => row.provider_call_id)),
      plainColumn(rows.map((row) => row.status)),
      plainColumn(rows.map((row) => row.outcome)),
      plainColumn(rows.map((row) => row.direction)),
      textColumn(rows.map((row) => row.from_number)),
      textColumn(rows.map((row) => row.to_number)),
      plainColumn(rows.map((row) => row.started_at)),
      plainColumn(rows.map((row) => row.answered_at)),
      plainColumn(rows.map((row) => row.ended_at)),
      plainColumn(rows.map((row) => row.duration_ms)),
      plainColumn(rows.map((row) => row.campaign_id)),
      plainColumn(rows.map((row) => row.user_id)),
      textColumn(rows.map((row) => row.announced.join(","))),
      plainColumn(rows.map((row) => row.merged_into)),
      plainColumn(rows.map((row) => row.version)),
      states.bytes,
      states.starts,
      states.lengths,
      textColumn(rows.map((row) => row.business_id)),
      plainColumn(rows.map((row) => row.created_at)),
      plainColumn(rows.map((row) => row.updated_at)),
    ],
    "calls.save",
  );
}

export type StoredTranscript = Transcript & {
  readonly tenantId: string;
  readonly callId: string;
  readonly eventId: string;
  readonly origin: string;
};

/** Keeps what was said; the call's state says which transcript is the best one. Repeats of an event change nothing. */
export async function saveTranscripts(
  tx: Tx,
  rows: readonly (StoredTranscript & { readonly id: string })[],
): Promise<void> {
  if (rows.length === 0) return;
  const texts = longColumn(rows.map((row) => cleanText(row.text)));
  const turns = longColumn(rows.map((row) => jsonbText(row.turns)));
  await tx.run(
    `insert into transcripts (tenant_id, id, call_id, event_id, origin, language, text, turns)
     select r.tenant_id, r.id, r.call_id, r.event_id, r.origin, r.language,
            ${cut("$7", "r.text_start", "r.text_length")}, ${cut("$8", "r.turns_start", "r.turns_length")}::json
       from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $9::int[], $10::int[], $11::int[], $12::int[])
         as r (tenant_id, id, call_id, event_id, origin, language, text_start, text_length, turns_start, turns_length)
     on conflict (tenant_id, event_id) do update set call_id = excluded.call_id, text = excluded.text, turns = excluded.turns
      -- What was masked in its place stays masked, however often its event is applied again.
      where transcripts.redaction = 'none'`,
    [
      plainColumn(rows.map((row) => row.tenantId)),
      plainColumn(rows.map((row) => row.id)),
      plainColumn(rows.map((row) => row.callId)),
      plainColumn(rows.map((row) => row.eventId)),
      textColumn(rows.map((row) => row.origin)),
      textColumn(rows.map((row) => row.language)),
      texts.bytes,
      turns.bytes,
      texts.starts,
      texts.lengths,
      turns.starts,
      turns.lengths,
    ],
    "calls.save-transcripts",
  );
}

/** Transcripts by the event they came with. */
export async function loadTranscripts(
  tx: Tx,
  tenantIds: readonly string[],
  eventIds: readonly string[],
): Promise<Map<string, Transcript>> {
  if (eventIds.length === 0) return new Map();
  const rows = await tx.rows<Transcript & { event_id: string }>(
    "select event_id, language, text, turns from transcripts where tenant_id = any ($1::uuid[]) and event_id = any ($2::uuid[])",
    [tenantIds, eventIds],
    "calls.load-transcripts",
  );
  return new Map(rows.map(({ event_id, ...transcript }) => [event_id, transcript]));
}

/** One call, the merged one's survivor where it was merged; null when the tenant has none. */
export async function loadCall(tx: Tx, tenantId: string, id: string): Promise<CallRecord | null> {
  const rows = await tx.rows<CallRow>(
    `select ${callColumns} from calls c
      where c.tenant_id = $1 and c.id = (select coalesce(m.merged_into, m.id) from calls m where m.tenant_id = $1 and m.id = $2)`,
    [tenantId, id],
    "calls.load",
  );
  return rows[0] ? recordOf(rows[0]) : null;
}

/** What a merge leaves behind: the doubles point at the survivor, and so does whatever pointed at them. */
export async function compressMerges(tx: Tx, tenantId: string, from: readonly string[], to: string): Promise<void> {
  await tx.run("update calls set merged_into = $3 where tenant_id = $1 and merged_into = any ($2::uuid[])", [
    tenantId,
    from,
    to,
  ]);
}

/** Whether a tenant has a campaign, for what is put into it. */
export async function campaignExists(tx: Tx, tenantId: string, id: string): Promise<boolean> {
  const rows = await tx.rows("select 1 from campaigns where tenant_id = $1 and id = $2", [tenantId, id]);
  return rows.length > 0;
}

/** The users that calls belong to, by our id: the name under which tokens know them. */
export async function userNames(tx: Tx, tenantId: string, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<{ id: string; external_id: string }>(
    "select id, external_id from users where tenant_id = $1 and id = any ($2::uuid[])",
    [tenantId, ids],
  );
  return new Map(rows.map((row) => [row.id, row.external_id]));
}

/** Our id of a user, by the name their tokens carry; null when the tenant has none. */
export async function userIdOf(tx: Tx, tenantId: string, externalId: string): Promise<string | null> {
  const rows = await tx.rows<{ id: string }>("select id from users where tenant_id = $1 and external_id = $2", [
    tenantId,
    externalId,
  ]);
  return rows[0]?.id ?? null;
}

export function recordOf(row: CallRow): CallRecord {
  return {
    tenantId: row.tenant_id,
    id: row.id,
    provider: row.provider,
    providerCallId: row.provider_call_id,
    state: stateFrom(row.state),
    announced: row.announced,
    campaignId: row.campaign_id,
    userId: row.user_id,
    mergedInto: row.merged_into,
    isErased: row.erased_at !== null,
    version: row.version,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
  };
}

function rowOf(record: CallRecord) {
  const { state } = record;
  const seen = project(state);
  return {
    tenant_id: record.tenantId,
    id: record.id,
    provider: record.provider,
    provider_call_id: record.providerCallId,
    status: seen.status,
    outcome: seen.outcome,
    direction: factOf(state, "direction"),
    from_number: factOf(state, "from_number"),
    to_number: factOf(state, "to_number"),
    started_at: isoOf(seen.startedAt),
    answered_at: isoOf(seen.answeredAt),
    ended_at: isoOf(seen.endedAt),
    duration_ms: seen.durationMs,
    campaign_id: record.campaignId,
    user_id: record.userId,
    business_id: factOf(state, "business_id"),
    state: jsonbText(storedState(state)),
    announced: record.announced,
    merged_into: record.mergedInto,
    version: record.version,
    created_at: isoOf(record.createdAt),
    updated_at: isoOf(record.updatedAt),
  };
}
