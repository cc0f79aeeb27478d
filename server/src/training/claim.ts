import type { Tx } from "#/db/transaction.ts";

import { claimSessions as claimRows } from "./store.ts";

/**
 * Claims training sessions for the webhooks of one batch. One run per session, ever: of any number of requests, in this batch
 * or in parallel ones, exactly one is told `claimed`.
 */
export async function claimSessions(
  tx: Tx,
  wanted: readonly { tenantId: string; sessionId: string; communicationId: string; sourceId: string }[],
): Promise<("claimed" | "exists" | "unknown_session")[]> {
  const firsts = new Map(wanted.map((one) => [`${one.tenantId} ${one.sessionId}`, one] as const).toReversed());
  const claimed = await claimRows(
    tx,
    [...firsts.values()].toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1)),
  );
  const told = new Set<string>();
  return wanted.map((one) => {
    const name = `${one.tenantId} ${one.sessionId}`;
    const result = claimed.get(name) ?? "unknown_session";
    if (result !== "claimed" || !told.has(name)) {
      told.add(name);
      return result;
    }
    return "exists";
  });
}
