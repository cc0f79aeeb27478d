import type { Db } from "#/db/transaction.ts";
import type { ProviderRequest, RouteKind } from "#/providers/provider.ts";

import { keptHeaders } from "./headers.ts";
import { insertQuarantined, pruneQuarantine } from "./quarantine-store.ts";

/** A request that was refused, and why. */
export type Refused = {
  readonly tenantId: string;
  readonly sourceId: string;
  readonly provider: string;
  readonly route: RouteKind;
  readonly reason: string;
  readonly detail: string | null;
  readonly request: ProviderRequest;
  readonly receivedAt: number;
};

/** Encrypts headers for a row of the quarantine, and opens them again. */
export type HeaderVault = {
  readonly seal: (tenantId: string, rowId: string, text: string) => Buffer;
  readonly open: (tenantId: string, rowId: string, sealed: Buffer) => string;
};

export type Quarantine = {
  /** Keeps a refused request; resolves when it is stored or was left out because the sender is flooding. */
  keep(refused: Refused): Promise<void>;
};

/**
 * Keeps refused requests, bounded: at most `rowsPerSourceMax` per source (the oldest go), at most `writesMax` being written
 * at once (further ones are only counted), bodies cut off from `bodyBytesMax` on are not kept. A refused request must cost
 * a flooder more than us, so nothing here may slow down what is verified.
 */
export function createQuarantine(
  {
    db,
    vault,
    newId,
    log,
    onDropped,
  }: {
    db: Db;
    vault: HeaderVault;
    newId: () => string;
    log: { warn: (fields: object, message: string) => void };
    onDropped: (provider: string) => void;
  },
  limits: { readonly rowsPerSourceMax: number; readonly writesMax: number; readonly bodyBytesMax: number },
): Quarantine {
  let writing = 0;
  const sinceSweep = new Map<string, number>();
  return {
    async keep(refused) {
      if (writing >= limits.writesMax || refused.request.body.length > limits.bodyBytesMax)
        return onDropped(refused.provider);
      writing++;
      try {
        const id = newId();
        const headers = keptHeaders(refused.request.headers);
        const sealed = vault.seal(refused.tenantId, id, JSON.stringify([...refused.request.headers]));
        const kept = (sinceSweep.get(refused.sourceId) ?? limits.rowsPerSourceMax) + 1;
        const isSweepDue = kept >= sweepEvery;
        sinceSweep.set(refused.sourceId, isSweepDue ? 0 : kept);
        await db.inTransaction([refused.tenantId], async (tx) => {
          await insertQuarantined(tx, { ...refused, id, headers, sealed });
          if (isSweepDue) await pruneQuarantine(tx, refused.tenantId, refused.sourceId, limits.rowsPerSourceMax);
        });
      } catch (error) {
        onDropped(refused.provider);
        log.warn({ source_id: refused.sourceId, err: error }, "a refused request could not be kept");
      } finally {
        writing--;
      }
    },
  };
}

/** Old rows of a source are cut off at every so many refusals, so the bound holds within that many rows. */
const sweepEvery = 50;
