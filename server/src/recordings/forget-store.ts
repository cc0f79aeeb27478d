import type { Tx } from "#/db/transaction.ts";
import type { KeptRecording } from "#/providers/facts.ts";

/**
 * Forgets what was recorded of calls: the keys go with the transaction, and from then on nobody reads the bytes, whatever copies of
 * them there are. Gives how many rows that were, and the objects that are left to remove.
 */
export async function forgetRecordings(
  tx: Tx,
  tenantId: string,
  callIds: readonly string[],
): Promise<{ rows: number; blobKeys: string[] }> {
  const rows = await tx.rows<{ blob_key: string | null; peaks_key: string | null }>(
    `with held as (select id, blob_key, peaks_key from recordings
                    where tenant_id = $1 and call_id = any ($2::uuid[]) and state <> 'deleted' for update),
     untold as (update calls set state = jsonb_set(state::jsonb, '{facts,kept_recording,0}', $3)::json
                 where tenant_id = $1 and id = any ($2::uuid[]) and state->'facts'->'kept_recording' is not null)
     update recordings r
        set state = 'deleted', reason = 'erased', detail = null, sealed_key = null, blob_key = null, peaks_key = null, sha256 = null,
            speech = null, deleted_at = now()
       from held where r.tenant_id = $1 and r.id = held.id returning held.blob_key, held.peaks_key`,
    [tenantId, callIds, JSON.stringify(erased)],
  );
  const blobKeys = rows.flatMap((row) => [row.blob_key, row.peaks_key]).filter((key) => key !== null);
  return { rows: rows.length, blobKeys };
}

/** What their calls say of them from then on. */
const erased: KeptRecording = {
  id: null,
  status: "absent",
  duration_ms: null,
  channels: null,
  codec: null,
  reason: "erased",
};

/** Calls with a recording that has been kept for longer than this and may go, oldest first. */
export async function callsWithOldRecordings(tx: Tx, tenantId: string, days: number, limit: number): Promise<string[]> {
  const rows = await tx.rows<{ call_id: string }>(
    `select distinct r.call_id from recordings r join calls c on c.tenant_id = r.tenant_id and c.id = r.call_id
      where r.tenant_id = $1 and r.state = 'stored' and r.stored_at < now() - $2 * interval '1 day' and c.hold_reason is null
      order by r.call_id limit $3`,
    [tenantId, days, limit],
  );
  return rows.map((row) => row.call_id);
}
