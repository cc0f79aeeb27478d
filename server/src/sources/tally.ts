import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";

import { lockTraffic, writeTraffic } from "./traffic-store.ts";
import { addTo, type Heard } from "./traffic.ts";

export type SourceRef = { readonly tenantId: string; readonly sourceId: string };

/** Counts in memory what sources send, so that a webhook costs nothing for it, and adds it to what is stored now and then. */
export type Tally = {
  received(source: SourceRef): void;
  refused(source: SourceRef, reason: string): void;
  /** What cannot be written stays counted. What a process that is killed had counted is lost: half a minute of it. */
  flush(): Promise<void>;
};

export function createTally({ db, clock }: { readonly db: Db; readonly clock: Clock }): Tally {
  let counted = new Map<string, SourceRef & { heard: Heard }>();

  return {
    received(source) {
      const now = clock.now();
      update(source, (heard) => ({
        ...heard,
        firstReceivedAt: heard.firstReceivedAt ?? now,
        lastReceivedAt: now,
        received: heard.received + 1,
      }));
    },
    refused(source, reason) {
      update(source, (heard) => ({
        ...heard,
        refused: heard.refused + 1,
        reasons: { ...heard.reasons, [reason]: (heard.reasons[reason] ?? 0) + 1 },
      }));
    },
    async flush() {
      const batch = [...counted.values()];
      if (batch.length === 0) return;
      counted = new Map();
      for (let from = 0; from < batch.length; from += batchMax) {
        const some = batch.slice(from, from + batchMax);
        try {
          await add(some);
        } catch (error) {
          for (const { heard, ...source } of batch.slice(from)) update(source, (later) => joined(heard, later));
          throw error;
        }
      }
    },
  };

  function update({ tenantId, sourceId }: SourceRef, change: (heard: Heard) => Heard): void {
    const known = counted.get(sourceId);
    counted.set(sourceId, { tenantId, sourceId, heard: change(known?.heard ?? nothingHeard) });
  }

  async function add(some: readonly (SourceRef & { readonly heard: Heard })[]): Promise<void> {
    const tenants = [...new Set(some.map(({ tenantId }) => tenantId))];
    const now = clock.now();
    await db.inTransaction(tenants, async (tx) => {
      const rows = await lockTraffic(tx, some);
      const heardOf = new Map(some.map(({ sourceId, heard }) => [sourceId, heard]));
      await writeTraffic(
        tx,
        rows.map(({ tenantId, sourceId, traffic }) => ({
          tenantId,
          sourceId,
          traffic: addTo(traffic, heardOf.get(sourceId) ?? nothingHeard, now),
        })),
      );
    });
  }
}

const batchMax = 500;

const nothingHeard: Heard = { firstReceivedAt: null, lastReceivedAt: null, received: 0, refused: 0, reasons: {} };

function joined(first: Heard, later: Heard): Heard {
  const reasons: Record<string, number> = { ...first.reasons };
  for (const [name, count] of Object.entries(later.reasons)) reasons[name] = (reasons[name] ?? 0) + count;
  return {
    firstReceivedAt: first.firstReceivedAt ?? later.firstReceivedAt,
    lastReceivedAt: later.lastReceivedAt ?? first.lastReceivedAt,
    received: first.received + later.received,
    refused: first.refused + later.refused,
    reasons,
  };
}
