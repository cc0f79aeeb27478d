import type { TurnRole } from "@aftercall/contract/call.ts";

import type { Db, Tx } from "#/db/transaction.ts";

export type RecordingRow = {
  readonly tenant_id: string;
  readonly id: string;
  readonly call_id: string;
  readonly kind: "original" | "redacted";
  readonly state: "pending" | "stored" | "failed" | "deleted";
  readonly reason: string | null;
  readonly detail: string | null;
  readonly source_digest: Buffer;
  readonly blob_key: string | null;
  readonly sha256: Buffer | null;
  readonly bytes: number | null;
  readonly mime: string | null;
  readonly codec: string | null;
  readonly sample_rate_hz: number | null;
  readonly channels: number | null;
  readonly channel_map: TurnRole[];
  readonly duration_ms: number | null;
  readonly peaks_key: string | null;
  readonly peaks_bytes: number | null;
  readonly sealed_key: Buffer | null;
  readonly speech: SpeechByChannel | null;
  readonly created_at: Date;
  readonly stored_at: Date | null;
  readonly measured_at: Date | null;
  /** Only administrators may hear it. */
  readonly is_restricted: boolean;
};

/** Per channel when somebody speaks, in milliseconds from the start. */
export type SpeechByChannel = readonly (readonly (readonly [startMs: number, endMs: number])[])[];

export async function recordingsOfCall(tx: Tx, tenantId: string, callId: string): Promise<RecordingRow[]> {
  return tx.rows<RecordingRow>(
    "select * from recordings where tenant_id = $1 and call_id = $2 order by created_at, id",
    [tenantId, callId],
  );
}

export async function loadRecording(tx: Tx, tenantId: string, id: string): Promise<RecordingRow | null> {
  const [row] = await tx.rows<RecordingRow>("select * from recordings where tenant_id = $1 and id = $2", [
    tenantId,
    id,
  ]);
  return row ?? null;
}

/** The same in a transaction of its own. */
export function findRecording(db: Db, wanted: { tenantId: string; recordingId: string }): Promise<RecordingRow | null> {
  return db.inTransaction([wanted.tenantId], (tx) => loadRecording(tx, wanted.tenantId, wanted.recordingId));
}

export type NewRecording = Pick<RecordingRow, "tenant_id" | "id" | "call_id" | "kind" | "source_digest"> &
  Partial<Pick<RecordingRow, "is_restricted">>;

/** The row of one source of one call: made the first time, found ever after. */
export async function beginRecording(tx: Tx, row: NewRecording): Promise<RecordingRow> {
  const [found] = await tx.rows<RecordingRow>(
    `insert into recordings (tenant_id, id, call_id, kind, state, source_digest, is_restricted) values ($1, $2, $3, $4, 'pending', $5, $6)
     on conflict (tenant_id, call_id, kind, source_digest) do update
        set is_restricted = recordings.is_restricted or excluded.is_restricted,
            state = case when recordings.reason = 'replaced' then 'pending' else recordings.state end
     returning *`,
    [row.tenant_id, row.id, row.call_id, row.kind, row.source_digest, row.is_restricted ?? false],
  );
  if (!found) throw new Error("An insert returned no row");
  return found;
}

export type StoredRecording = Pick<
  RecordingRow,
  "tenant_id" | "id" | "blob_key" | "sha256" | "bytes" | "mime" | "sealed_key" | "channel_map"
>;

/** Null when it was stored or deleted meanwhile: then what this attempt stored belongs to nobody. */
export async function markStored(tx: Tx, row: StoredRecording): Promise<RecordingRow | null> {
  const [stored] = await tx.rows<RecordingRow>(
    `update recordings set state = 'stored', reason = null, detail = null, blob_key = $3, sha256 = $4, bytes = $5, mime = $6,
            sealed_key = $7, channel_map = $8, stored_at = now()
      where tenant_id = $1 and id = $2 and state in ('pending', 'failed') returning *`,
    [row.tenant_id, row.id, row.blob_key, row.sha256, row.bytes, row.mime, row.sealed_key, row.channel_map],
  );
  return stored ?? null;
}

/** Why it is not there; `pending` while another attempt will be made. */
export async function markMissing(
  tx: Tx,
  row: Pick<RecordingRow, "tenant_id" | "id" | "reason" | "detail"> & { state: "pending" | "failed" },
): Promise<void> {
  await tx.run(
    `update recordings set state = $3, reason = $4, detail = $5
      where tenant_id = $1 and id = $2 and state in ('pending', 'failed')`,
    [row.tenant_id, row.id, row.state, row.reason, row.detail],
  );
}

/** Who speaks on which channel, as somebody said who listened. */
export async function setChannelMap(
  tx: Tx,
  { tenant_id, id }: Pick<RecordingRow, "tenant_id" | "id">,
  roles: readonly TurnRole[],
): Promise<RecordingRow> {
  const [row] = await tx.rows<RecordingRow>(
    "update recordings set channel_map = $3 where tenant_id = $1 and id = $2 returning *",
    [tenant_id, id, roles],
  );
  if (!row) throw new Error("a recording that was just read is gone");
  return row;
}

/** Takes the other redacted copies of a call away: they hold something that has to be silent by now. Gives their objects. */
export async function replaceRedacted(
  tx: Tx,
  { tenant_id, call_id, id }: Pick<RecordingRow, "tenant_id" | "call_id" | "id">,
): Promise<string[]> {
  const rows = await tx.rows<{ blob_key: string | null; peaks_key: string | null }>(
    `with old as (select id, blob_key, peaks_key from recordings
                   where tenant_id = $1 and call_id = $2 and kind = 'redacted' and id <> $3 and state <> 'deleted' for update)
     update recordings r set state = 'deleted', reason = 'replaced', sealed_key = null, blob_key = null, peaks_key = null, sha256 = null,
            speech = null, measured_at = null, deleted_at = now()
       from old where r.tenant_id = $1 and r.id = old.id returning old.blob_key, old.peaks_key`,
    [tenant_id, call_id, id],
  );
  return rows.flatMap((row) => [row.blob_key, row.peaks_key]).filter((key) => key !== null);
}

export type MeasuredRecording = Pick<
  RecordingRow,
  | "tenant_id"
  | "id"
  | "mime"
  | "codec"
  | "sample_rate_hz"
  | "channels"
  | "channel_map"
  | "duration_ms"
  | "peaks_key"
  | "peaks_bytes"
  | "speech"
>;

export async function markMeasured(tx: Tx, row: MeasuredRecording): Promise<RecordingRow | null> {
  const [measured] = await tx.rows<RecordingRow>(
    `update recordings set mime = $3, codec = $4, sample_rate_hz = $5, channels = $6, channel_map = $7, duration_ms = $8,
            peaks_key = $9, peaks_bytes = $10, speech = $11, measured_at = now()
      where tenant_id = $1 and id = $2 and state = 'stored' returning *`,
    [
      row.tenant_id,
      row.id,
      row.mime,
      row.codec,
      row.sample_rate_hz,
      row.channels,
      row.channel_map,
      row.duration_ms,
      row.peaks_key,
      row.peaks_bytes,
      JSON.stringify(row.speech),
    ],
  );
  return measured ?? null;
}

export type AnnouncingEvent = { readonly id: string; readonly source_id: string; readonly body: Buffer };

/** The event under whose key a source reported something; null when it is no longer known. */
export async function eventOfKey(
  tx: Tx,
  tenantId: string,
  sourceId: string,
  key: string,
): Promise<AnnouncingEvent | null> {
  const [row] = await tx.rows<AnnouncingEvent>(
    `select e.id, e.source_id, e.body from event_keys k join events e on e.tenant_id = k.tenant_id and e.id = k.event_id
      where k.tenant_id = $1 and k.source_id = $2 and k.key = $3`,
    [tenantId, sourceId, key],
  );
  return row ?? null;
}

/** The source that reported the call last. */
export async function sourceOfCall(tx: Tx, tenantId: string, callId: string): Promise<string | null> {
  const [row] = await tx.rows<{ source_id: string }>(
    "select source_id from events where tenant_id = $1 and call_id = $2 order by id desc limit 1",
    [tenantId, callId],
  );
  return row?.source_id ?? null;
}

/** Networks that are not public and that the operator opened for the tenant. */
export async function privateTargetsOf(tx: Tx, tenantId: string): Promise<string[]> {
  const rows = await tx.rows<{ block: string }>(
    "select block::text as block from private_targets where tenant_id = $1 order by private_targets.block",
    [tenantId],
  );
  return rows.map(({ block }) => block);
}
