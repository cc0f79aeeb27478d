import type { Tx } from "#/db/transaction.ts";

/**
 * Has results of a tenant's deliveries told until `forMs` from now. Gives from when on all of them are told, epoch milliseconds;
 * null: who begins has to wait (see {@link beginFollowing}). Nothing is written while `leftMs` are left.
 */
export async function keepFollowing(tx: Tx, tenantId: string, forMs: number, leftMs: number): Promise<number | null> {
  const [known] = await tx.rows<{ since: number }>(
    `select ${sinceMs} from delivery_follows
      where tenant_id = $1 and since is not null and until > now() + $2 * interval '1 millisecond'`,
    [tenantId, leftMs],
    "live.follows",
  );
  if (known) return known.since;
  const [kept] = await tx.rows<{ since: number | null }>(
    // Close to its end it may have been over already for somebody who looked with a younger clock.
    `insert into delivery_follows as f (tenant_id, until) values ($1, now() + $2 * interval '1 millisecond')
     on conflict (tenant_id) do update
        set since = case when f.until > now() + interval '1 minute' then f.since end, until = excluded.until
     returning ${sinceMs}`,
    [tenantId, forMs],
    "live.follow",
  );
  return kept?.since ?? null;
}

/**
 * Waits for everybody who is just writing results without telling them, and says from when on all are told. In a transaction
 * after the one that asked for it: who writes results from then on sees that they are wanted (`follows_deliveries`).
 */
export async function beginFollowing(tx: Tx, tenantId: string): Promise<number> {
  await tx.run("select pg_advisory_xact_lock(hashtextextended('deliveries ' || $1::uuid::text, 0))", [tenantId]);
  const [begun] = await tx.rows<{ since: number }>(
    `update delivery_follows set since = coalesce(since, clock_timestamp()) where tenant_id = $1 returning ${sinceMs}`,
    [tenantId],
  );
  if (!begun) throw new Error("what was just written is not there");
  return begun.since;
}

/** Rounded up: a cursor of the same millisecond may be older. */
const sinceMs = "ceil(extract(epoch from since) * 1000)::bigint as since";
