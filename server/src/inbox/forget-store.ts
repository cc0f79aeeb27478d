import type { Tx } from "#/db/transaction.ts";
import { readJsonObject } from "#/providers/json.ts";
import { objectAt } from "#/providers/read.ts";
import { storedAudioIn } from "#/providers/recording.ts";

/**
 * Takes the bytes and headers out of every event of calls; digests stay in their place, so the seals of the log still fit. The
 * same bytes go where they were refused before they were taken in. With them go the keys of recordings that came inside events;
 * gives how many events that were, and the objects that are left to remove.
 */
export async function forgetEvents(
  tx: Tx,
  tenantId: string,
  callIds: readonly string[],
): Promise<{ rows: number; blobKeys: string[] }> {
  const blobKeys = await carriedObjects(tx, tenantId, callIds);
  await tx.run(
    `update quarantine q set body = '', url = split_part(q.url, '?', 1) from events e
      where e.tenant_id = $1 and ${ofCalls} and q.tenant_id = $1 and q.source_id = e.source_id
        and length(q.body) = length(e.body) and q.body = e.body and (e.body <> '' or q.url = e.url)`,
    [tenantId, callIds],
  );
  const rows = await tx.rows<{ erased: number }>(
    "select sum(erase_event_bodies($1, c.id))::int as erased from unnest($2::uuid[]) as c (id)",
    [tenantId, callIds],
  );
  return { rows: rows[0]?.erased ?? 0, blobKeys };
}

/** Told of these calls at once, or applied to one of them later. */
const ofCalls = `(e.call_id = any ($2::uuid[])
  or e.id in (select p.event_id from event_applications p where p.tenant_id = $1 and p.call_id = any ($2::uuid[])))`;

/** Recordings that intake put into the store, and that were not moved to a place of their own yet. */
async function carriedObjects(tx: Tx, tenantId: string, callIds: readonly string[]): Promise<string[]> {
  const events = await tx.rows<{ body: Buffer }>(
    `select e.body from events e
      where e.tenant_id = $1 and ${ofCalls} and position('"sealed_key"'::bytea in e.body) > 0`,
    [tenantId, callIds],
  );
  return events.flatMap(({ body }) => objectsIn(body));
}

/** Whoever writes such a body may write anything: what is none of ours names no object. */
function objectsIn(body: Buffer): string[] {
  try {
    const members = Object.values(objectAt(readJsonObject(body)["data"]));
    return members.flatMap((value) => storedAudioIn(value)?.blob_key ?? []).filter((key) => /^[0-9a-f]{64}$/.test(key));
  } catch {
    return [];
  }
}
