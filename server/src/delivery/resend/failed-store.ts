import type { Tx } from "#/db/transaction.ts";

import { filterSize, filterValues, undeliveredHalves } from "../ledger/undelivered-store.ts";
import type { Candidate, Found, Selection } from "./selection.ts";

/** What becomes of one item of the list when it is resent. */
export type Verdict = "ok" | "payload_gone" | "endpoint_disabled" | "endpoint_deleted" | "no_endpoint_named";

/**
 * The undelivered list as resends read it: only what stood there when the resend was made, each item with where it goes and
 * whether it can. Where all of it goes to one endpoint, a message that several endpoints missed counts once.
 */
function judged(more: string): string {
  const [upper, to, force] = [filterSize + 1, filterSize + 2, filterSize + 3];
  const verdict = (
    target: string,
  ) => `case when m.expired_at is not null then 'payload_gone' when ${target} is null then 'no_endpoint_named'
    else (select case when e.deleted_at is not null then 'endpoint_deleted' when e.disabled_at is not null and not $${force} then 'endpoint_disabled'
            else 'ok' end from endpoints e where e.tenant_id = $1 and e.id = ${target}) end`;
  const target = { ofDelivery: `coalesce($${to}::uuid, d.endpoint_id)`, ofMessage: `$${to}::uuid` };
  const columns = (alias: "d" | "m", isDelivery: boolean, to_: string) =>
    `${alias}.id, ${isDelivery ? "d.id" : "null::uuid"} as delivery_id, m.id as message_id, ${to_} as endpoint_id, m.type, m.call_id,
     m.created_at as accepted_at, ${verdict(to_)} as verdict`;
  const isRepeated = `$${to}::uuid is not null and exists (select from deliveries x where x.tenant_id = d.tenant_id and x.message_id = d.message_id
    and x.state = 'undelivered' and x.replaced_by is null and x.id < d.id and ($2::text[] is null or x.reason = any ($2))
    and ($3::uuid is null or x.endpoint_id = $3) and ($8::uuid[] is null or x.id = any ($8)))`;
  const halves = undeliveredHalves(
    { ofDelivery: columns("d", true, target.ofDelivery), ofMessage: columns("m", false, target.ofMessage) },
    {
      ofDelivery: `and coalesce(d.finished_at, d.created_at) <= $${upper}::timestamptz and not (${isRepeated}) ${more.replaceAll("?", "d")}`,
      ofMessage: `and m.created_at <= $${upper}::timestamptz ${more.replaceAll("?", "m")}`,
    },
  );
  return `(${halves.deliveries}) union all (${halves.messages})`;
}

function valuesOf({ tenantId, filter, upperAt, toEndpointId, isForced }: Selection): unknown[] {
  return [...filterValues(tenantId, filter), upperAt, toEndpointId, isForced];
}

/** How many items there are by what becomes of them. */
export async function countFailed(tx: Tx, selection: Selection): Promise<Map<Verdict, number>> {
  const rows = await tx.rows<{ verdict: Verdict; count: number }>(
    `select verdict, count(*)::int as count from (${judged("")}) as j group by verdict`,
    valuesOf(selection),
  );
  return new Map(rows.map(({ verdict, count }) => [verdict, count]));
}

/** The next items after an id, in the order of ids. What cannot be sent is passed over. */
export async function nextFailed(tx: Tx, selection: Selection, afterId: string | null, limit: number): Promise<Found> {
  const [after, rows] = [filterSize + 4, filterSize + 5];
  const page = `and ($${after}::uuid is null or ?.id > $${after}) order by ?.id limit $${rows}`;
  const found = await tx.rows<Candidate & { id: string; verdict: Verdict }>(
    `select * from (${judged(page)}) as j order by id limit $${rows}`,
    [...valuesOf(selection), afterId, limit],
  );
  const last = found.at(-1);
  return {
    picks: found
      .filter(({ verdict }) => verdict === "ok")
      .map((row) => ({ ...row, needs: row.delivery_id === null ? "unrouted" : "undelivered" })),
    cursor: last ? { at: null, id: last.id } : null,
    isEnd: found.length < limit,
  };
}
