import type { Db } from "#/db/transaction.ts";
import { messageOf, NotFound } from "#/kernel/errors.ts";
import { MalformedBody } from "#/providers/provider.ts";
import type { Sources } from "#/sources/active.ts";

import type { Batcher } from "./batch.ts";
import { loadQuarantined, noteReplay } from "./quarantine-store.ts";
import type { HeaderVault } from "./quarantine.ts";
import { verifySource } from "./verify-source.ts";

/** Verifies a refused request again and takes it in if it passes now. True when it did. Throws {@link NotFound}. */
export type ReplayQuarantined = (tenantId: string, id: string) => Promise<boolean>;

/**
 * Against the secrets of today. A request whose only fault was its age passes: that somebody authorised runs it again stands
 * in for the time window, and the signature still has to be right. The call dates from when it was first received.
 */
export function createReplayQuarantined(deps: {
  db: Db;
  sources: Sources;
  batcher: Batcher;
  vault: HeaderVault;
}): ReplayQuarantined {
  return async (tenantId, id) => {
    const row = await deps.db.inTransaction([tenantId], (tx) => loadQuarantined(tx, tenantId, id));
    if (!row) throw new NotFound("Refused request");
    if (row.replay_result === "accepted") return true;
    const result = await again();
    await deps.db.inTransaction([tenantId], (tx) => noteReplay(tx, tenantId, id, result));
    return result === "accepted";

    async function again(): Promise<string> {
      if (!row) return "gone";
      const source = await deps.sources.byId(tenantId, row.source_id);
      if (!source) return "source_gone";
      const headers = new Map(JSON.parse(deps.vault.open(tenantId, id, row.sealed_headers)) as [string, string[]][]);
      const request = { method: row.method, url: row.url, headers, body: row.body };
      const verdict = verifySource(source.provider, [source], request, null);
      if (!verdict.ok) return verdict.code;
      const receivedAt = row.received_at.getTime();
      try {
        const events = source.provider.parse({ request, setup: source.setup, receivedAtMs: receivedAt });
        await deps.batcher.add({
          tenantId,
          sourceId: source.id,
          provider: source.provider.name,
          route: row.route,
          mayCreateCalls: row.route === "own" || source.provider.givenRoutesCreate || source.givenRoutesCreate,
          userId: source.userId,
          request,
          receivedAt,
          verification: verdict.scheme,
          events,
        });
        return "accepted";
      } catch (error) {
        if (error instanceof MalformedBody) return "malformed";
        return `unavailable: ${messageOf(error)}`;
      }
    }
  };
}
