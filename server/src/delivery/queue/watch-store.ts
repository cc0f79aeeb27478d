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
