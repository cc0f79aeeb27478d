import type { Tx } from "#/db/transaction.ts";

/** Says that this process lives and delivers; gives how many do. */
export async function workerSeen(tx: Tx, worker: { id: string; node: string; silentMs: number }): Promise<number> {
  const rows = await tx.rows<{ count: number }>(
    "select delivery_worker_seen($1, $2, $3) as count",
    [worker.id, worker.node, worker.silentMs],
    "delivery.worker-seen",
  );
  return rows[0]?.count ?? 1;
}

export async function workerGone(tx: Tx, id: string): Promise<void> {
  await tx.run("select delivery_worker_gone($1)", [id], "delivery.worker-gone");
}

/** Age in seconds of the oldest delivery that is due, over all tenants, whatever holds it. */
export async function oldestDueSeconds(tx: Tx): Promise<number> {
  const rows = await tx.rows<{ seconds: number }>(
    "select lookup_oldest_due_seconds() as seconds",
    [],
    "delivery.oldest-due",
  );
  return rows[0]?.seconds ?? 0;
}

export type Backlog = { readonly cause: string; readonly count: number; readonly oldest_seconds: number };

/** What waits over all tenants, by cause. Reads every row that waits. */
export async function backlog(tx: Tx): Promise<Backlog[]> {
  return tx.rows<Backlog>("select cause, count::int, oldest_seconds from lookup_backlog()", [], "delivery.backlog");
}

export type Latest = { readonly endpoint_id: string; readonly cause: string; readonly oldest_seconds: number };

/** The endpoints over all tenants that are latest, each with what holds it back. */
export async function latestEndpoints(tx: Tx, max: number): Promise<Latest[]> {
  return tx.rows<Latest>(
    "select endpoint_id, cause, oldest_seconds from lookup_latest_endpoints($1)",
    [max],
    "delivery.latest-endpoints",
  );
}

/** Enabled endpoints over all tenants by the state of their breakers. */
export async function breakers(tx: Tx): Promise<{ breaker: string; count: number }[]> {
  return tx.rows("select breaker, count::int from lookup_breakers()", [], "delivery.breakers");
}

export type Lag = { readonly tenant_id: string; readonly oldest_seconds: number; readonly count: number };

/**
 * What of some tenants should have been sent by now, where nothing but us holds it back: an endpoint that is paused, has a
 * rate, asks for time or fails has its own words. Counted up to ten thousand for each endpoint.
 */
export async function lagOf(tx: Tx, tenantIds: readonly string[]): Promise<Lag[]> {
  return tx.rows<Lag>(
    `select e.tenant_id, coalesce(extract(epoch from now() - min(d.oldest))::float8, 0) as oldest_seconds, sum(d.count)::int as count
       from endpoints e join endpoint_health h on h.tenant_id = e.tenant_id and h.endpoint_id = e.id
      cross join (values (true), (false)) as r (is_retry)
      cross join lateral (
        select min(due_at) as oldest, count(*) as count from (
          select due_at from deliveries
           where tenant_id = e.tenant_id and endpoint_id = e.id and is_retry = r.is_retry and state = 'due' and not is_blocked and due_at <= now()
           order by due_at limit 10000) as due) as d
      where e.tenant_id = any ($1::uuid[]) and e.disabled_at is null and e.paused_at is null and e.rate_limit is null
        and (h.breaker = 'closed' or not e.is_breaker_on) and (h.not_before is null or h.not_before <= now())
      group by e.tenant_id`,
    [tenantIds],
    "delivery.lag",
  );
}
