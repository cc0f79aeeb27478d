import type { Tx } from "#/db/transaction.ts";
import { providers } from "#/providers/index.ts";
import { readJsonObject } from "#/providers/json.ts";
import { objectAt } from "#/providers/read.ts";
import { storedAudioIn } from "#/providers/recording.ts";

/** How many events were emptied, and the objects that are left to remove. */
export type ForgottenEvents = { readonly rows: number; readonly blobKeys: readonly string[] };

/**
 * Takes the bytes and headers out of every event of calls; digests stay in their place, so the seals of the log still fit. The
 * same bytes go where they were refused before they were taken in. With them go the keys of recordings that came inside events.
 */
export async function forgetEvents(tx: Tx, tenantId: string, callIds: readonly string[]): Promise<ForgottenEvents> {
  return emptyEvents(tx, tenantId, await eventsOf(tx, tenantId, callIds, null));
}

/** The same for the events that carry a recording of the call, and for no other. */
export async function forgetCarried(tx: Tx, tenantId: string, callIds: readonly string[]): Promise<ForgottenEvents> {
  const carrying = providers.flatMap(({ name, large, bridge }) =>
    [large?.type, bridge?.recorded].flatMap((type) => (type === undefined ? [] : [`${name} ${type}`])),
  );
  return emptyEvents(tx, tenantId, await eventsOf(tx, tenantId, callIds, carrying));
}

/** What was told of calls, at once or applied to them later, and has not been emptied. */
async function eventsOf(
  tx: Tx,
  tenantId: string,
  callIds: readonly string[],
  types: readonly string[] | null,
): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(
    `select e.id from events e
      where e.tenant_id = $1 and e.body_digest is null
        and (e.call_id = any ($2::uuid[]) or e.id in (select p.event_id from event_applications p
                                                       where p.tenant_id = $1 and p.call_id = any ($2::uuid[])))
        and ($3::text[] is null or concat_ws(' ', e.provider, e.type) = any ($3))`,
    [tenantId, callIds, types],
  );
  return rows.map(({ id }) => id);
}

/** Takes the bytes and headers out of events. */
export async function emptyEvents(tx: Tx, tenantId: string, eventIds: readonly string[]): Promise<ForgottenEvents> {
  if (eventIds.length === 0) return { rows: 0, blobKeys: [] };
  const blobKeys = await carriedObjects(tx, tenantId, eventIds);
  await tx.run(
    `update quarantine q set body = '', url = split_part(q.url, '?', 1) from events e
      where e.tenant_id = $1 and e.id = any ($2::uuid[]) and q.tenant_id = $1 and q.source_id = e.source_id
        and length(q.body) = length(e.body) and q.body = e.body and (e.body <> '' or q.url = e.url)`,
    [tenantId, eventIds],
  );
  const [done] = await tx.rows<{ erased: number }>("select erase_events($1, $2::uuid[]) as erased", [
    tenantId,
    eventIds,
  ]);
  return { rows: done?.erased ?? 0, blobKeys };
}

/** Recordings that intake put into the store, and that were not moved to a place of their own yet. */
async function carriedObjects(tx: Tx, tenantId: string, eventIds: readonly string[]): Promise<string[]> {
  const events = await tx.rows<{ body: Buffer }>(
    `select body from events
      where tenant_id = $1 and id = any ($2::uuid[]) and position('"sealed_key"'::bytea in body) > 0`,
    [tenantId, eventIds],
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
