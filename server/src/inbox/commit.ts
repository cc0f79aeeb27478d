import type { Db } from "#/db/transaction.ts";
import { messageOf } from "#/kernel/errors.ts";

import type { Arrival, Outcome } from "./arrival.ts";
import { storeBatch, storeUnapplied } from "./store-batch.ts";
import type { BatchContext } from "./store-batch.ts";

/** An outcome once it is on disk, or why we cannot say that it is. */
export type Settled =
  | { readonly ok: true; readonly outcome: Outcome }
  | { readonly ok: false; readonly message: string };

export type CommitLog = { warn: (fields: object, message: string) => void };

/**
 * Commits a batch. What only one member causes, only that member suffers: a batch that the database refuses is tried again,
 * then member by member, and a member that cannot be applied is stored unapplied. Where the database is away, nobody is told
 * that anything was stored.
 */
export async function commitBatch(
  { db, context, log }: { db: Db; context: BatchContext; log: CommitLog },
  batch: readonly Arrival[],
): Promise<Settled[]> {
  const together = await attempt(batch);
  if (together.ok) return together.settled;
  if (isAway(together.error)) return refuse(batch, together.error);
  if (isContention(together.error)) {
    const again = await attempt(batch);
    if (again.ok) return again.settled;
    if (isAway(again.error)) return refuse(batch, again.error);
  }
  const settled: Settled[] = [];
  for (const arrival of batch) settled.push(await commitOne(arrival));
  return settled;

  async function commitOne(arrival: Arrival): Promise<Settled> {
    const alone = await attempt([arrival]);
    if (alone.ok) return alone.settled[0] ?? { ok: false, message: "No outcome" };
    if (isAway(alone.error) || isContention(alone.error)) return { ok: false, message: messageOf(alone.error) };
    const problem = messageOf(alone.error);
    log.warn({ source_id: arrival.sourceId, provider: arrival.provider, problem }, "event stored without its effect");
    try {
      const [outcome] = await db.inTransaction([arrival.tenantId], (tx) =>
        storeUnapplied(tx, context, [arrival], problem),
      );
      return outcome ? { ok: true, outcome } : { ok: false, message: problem };
    } catch (error) {
      return { ok: false, message: messageOf(error) };
    }
  }

  async function attempt(
    arrivals: readonly Arrival[],
  ): Promise<{ ok: true; settled: Settled[] } | { ok: false; error: unknown }> {
    try {
      const tenants = [...new Set(arrivals.map((arrival) => arrival.tenantId))];
      const { outcomes, afterCommit } = await db.inTransaction(tenants, (tx) => storeBatch(tx, context, arrivals));
      for (const run of afterCommit) run();
      return { ok: true, settled: outcomes.map((outcome) => ({ ok: true, outcome })) };
    } catch (error) {
      return { ok: false, error };
    }
  }
}

function refuse(batch: readonly Arrival[], error: unknown): Settled[] {
  return batch.map(() => ({ ok: false, message: messageOf(error) }));
}

/** Serialization failures and deadlocks: the same work may well succeed a moment later. */
export function isContention(error: unknown): boolean {
  const code = sqlState(error);
  return code === "40001" || code === "40P01" || code === "55P03";
}

/** The database cannot be reached, is full, is shutting down, or may have committed without our hearing of it. */
export function isAway(error: unknown): boolean {
  const code = sqlState(error);
  if (code && /^[0-9A-Z]{5}$/.test(code)) return /^(08|53|57|58|XX|25)/.test(code);
  return error instanceof Error && (code !== undefined || /connection|timeout|terminated|socket/i.test(error.message));
}

function sqlState(error: unknown): string | undefined {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
