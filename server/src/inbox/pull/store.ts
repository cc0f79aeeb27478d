import type { Tx } from "#/db/transaction.ts";
import type { Alias, AliasKind } from "#/providers/provider.ts";

export type DuePoll = { readonly tenant_id: string; readonly source_id: string; readonly due_at: Date };

/** The sources whose provider is to be asked now, the longest due first; works without a tenant. */
export async function duePolls(
  tx: Tx,
  wanted: { readonly providers: readonly string[]; readonly slots: readonly string[] },
  nowMs: number,
  most: number,
): Promise<DuePoll[]> {
  return tx.rows<DuePoll>("select tenant_id, source_id, due_at from lookup_due_polls($1, $2, $3, $4)", [
    wanted.providers,
    wanted.slots,
    new Date(nowMs),
    most,
  ]);
}

export type PollRow = {
  readonly tenant_id: string;
  readonly source_id: string;
  readonly due_at: Date;
  readonly polled_at: Date;
  readonly result: "ok" | "off" | "refused" | "limited" | "unavailable" | "unreadable";
  readonly detail: string | null;
  readonly request_count: number;
  readonly found_count: number;
  readonly found_total: string;
  readonly failure_count: number;
  readonly listed_until: Date | null;
};

export async function pollOf(tx: Tx, tenantId: string, sourceId: string): Promise<PollRow | null> {
  const [row] = await tx.rows<PollRow>("select * from source_polls where tenant_id = $1 and source_id = $2", [
    tenantId,
    sourceId,
  ]);
  return row ?? null;
}

/** Writes down what a poll did; its found calls are added to those of all polls. */
export async function savePoll(tx: Tx, row: Omit<PollRow, "found_total">): Promise<void> {
  await tx.run(
    `insert into source_polls as p (tenant_id, source_id, due_at, polled_at, result, detail, request_count, found_count, found_total,
                                    failure_count, listed_until)
     values ($1, $2, $3, $4, $5, $6, $7, $8::int, $8::int, $9, $10)
     on conflict (tenant_id, source_id) do update set
       due_at = excluded.due_at, polled_at = excluded.polled_at, result = excluded.result, detail = excluded.detail,
       request_count = excluded.request_count, found_count = excluded.found_count,
       found_total = p.found_total + excluded.found_count, failure_count = excluded.failure_count,
       listed_until = excluded.listed_until`,
    [
      row.tenant_id,
      row.source_id,
      row.due_at,
      row.polled_at,
      row.result,
      row.detail,
      row.request_count,
      row.found_count,
      row.failure_count,
      row.listed_until,
    ],
  );
}

export type OpenCall = {
  readonly id: string;
  readonly room_name: string | null;
  readonly progress: string | null;
  readonly ask_count: number;
  readonly aliases: readonly Alias[];
};

/**
 * Calls without an end of which nothing was heard since `staleMs`, that this source told of, or that nobody told of and its
 * provider makes (registered over our API): those that were asked about the longest ago first.
 */
export async function openCalls(
  tx: Tx,
  wanted: {
    readonly tenantId: string;
    readonly sourceId: string;
    readonly provider: string;
    readonly kind: AliasKind;
    readonly staleBefore: Date;
    readonly now: Date;
    readonly asksMax: number;
    readonly limit: number;
  },
): Promise<OpenCall[]> {
  return tx.rows<OpenCall>(
    `select c.id, c.state #>> '{facts,room_name,0}' as room_name, c.state ->> 'progress' as progress,
            coalesce(p.ask_count, 0) as ask_count, names.aliases
       from calls c
       left join call_pulls p on p.tenant_id = c.tenant_id and p.call_id = c.id and p.source_id = $2
       cross join lateral (select coalesce(json_agg(json_build_object('kind', a.kind, 'value', a.value)), '[]') as aliases,
                                  coalesce(bool_or(a.kind = $4), false) as is_known
                             from call_aliases a where a.tenant_id = c.tenant_id and a.call_id = c.id) names
      where c.tenant_id = $1 and c.announced = '{}' and c.merged_into is null and c.updated_at < $5
        and (p.due_at is null or p.due_at <= $6) and coalesce(p.ask_count, 0) < $7 and names.is_known
        and case when exists (select 1 from events e where e.tenant_id = c.tenant_id and e.call_id = c.id)
                 then exists (select 1 from events e where e.tenant_id = c.tenant_id and e.call_id = c.id and e.source_id = $2)
                 else c.provider = $3 end
      order by coalesce(p.due_at, c.updated_at) limit $8`,
    [
      wanted.tenantId,
      wanted.sourceId,
      wanted.provider,
      wanted.kind,
      wanted.staleBefore,
      wanted.now,
      wanted.asksMax,
      wanted.limit,
    ],
  );
}

/** Remembers that a call was asked about. */
export async function noteAsked(
  tx: Tx,
  asked: {
    readonly tenantId: string;
    readonly callId: string;
    readonly sourceId: string;
    readonly askCount: number;
    readonly dueAt: Date;
    readonly result: "found" | "not_found" | "unreadable";
  },
): Promise<void> {
  await tx.run(
    `insert into call_pulls (tenant_id, call_id, source_id, ask_count, due_at, result) values ($1, $2, $3, $4, $5, $6)
     on conflict (tenant_id, call_id, source_id) do update set ask_count = excluded.ask_count, due_at = excluded.due_at,
       result = excluded.result`,
    [asked.tenantId, asked.callId, asked.sourceId, asked.askCount, asked.dueAt, asked.result],
  );
}

/** Calls that are over need not be asked about again. */
export async function forgetAsked(tx: Tx, tenantId: string, sourceId: string): Promise<void> {
  await tx.run(
    `delete from call_pulls p using calls c
      where p.tenant_id = $1 and p.source_id = $2 and c.tenant_id = p.tenant_id and c.id = p.call_id and c.announced <> '{}'`,
    [tenantId, sourceId],
  );
}

export type KnownCall = {
  readonly value: string;
  readonly is_over: boolean;
  readonly has_recording: boolean;
  readonly misses_report: boolean;
  /** This source told of the end, and not only somebody else. */
  readonly is_told: boolean;
};

/** What is known about the calls of these names, and what a source told of them. */
export async function knownCalls(
  tx: Tx,
  { tenantId, sourceId }: { readonly tenantId: string; readonly sourceId: string },
  kind: AliasKind,
  values: readonly string[],
): Promise<KnownCall[]> {
  return tx.rows<KnownCall>(
    `select a.value, c.announced <> '{}' as is_over, (c.state #> '{facts,recording}') is not null as has_recording,
            (c.state ->> 'awaits_report')::boolean and not (c.state ->> 'is_reported')::boolean as misses_report,
            exists (select 1 from events e where e.tenant_id = c.tenant_id and e.call_id in (c.id, d.id) and e.source_id = $4
                       and e.status_after not in ('queued', 'ringing', 'in_progress')) as is_told
       from call_aliases a
       join calls d on d.tenant_id = a.tenant_id and d.id = a.call_id
       join calls c on c.tenant_id = d.tenant_id and c.id = coalesce(d.merged_into, d.id)
      where a.tenant_id = $1 and a.kind = $2 and a.value = any ($3::text[])`,
    [tenantId, kind, values, sourceId],
  );
}

/** Private networks that the operator opened for a tenant. */
export async function privateTargetsOf(tx: Tx, tenantId: string): Promise<string[]> {
  const rows = await tx.rows<{ block: string }>(
    "select block::text as block from private_targets where tenant_id = $1",
    [tenantId],
  );
  return rows.map((row) => row.block);
}
