import type { Db, Tx } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";

import { announceOperations, type Operation } from "../health/announce.ts";
import type { WriteContext } from "../write.ts";
import { type AlarmRow, loadAlarms, removeAlarm, saveAlarm, takeTurn, tenantsWhoListen } from "./alarm-store.ts";
import { type Level, nextAlarm, type Patience } from "./next-alarm.ts";

/** What one look at one thing showed. */
export type Reading = {
  readonly tenantId: string;
  readonly type: AlarmType;
  /** A UUID. */
  readonly subject: string;
  readonly level: Level;
  readonly patience: Patience;
  /** What is told when it begins. */
  readonly data: Readonly<Record<string, unknown>>;
  /** What is told when it is over, beside since when it had been so. */
  readonly about: Readonly<Record<string, unknown>>;
};

/** What is told of each kind, and by which word it is over. */
const endings = {
  "source.silent": "source.recovered",
  "source.rejecting": "source.recovered",
  "queue.lagging": "queue.recovered",
} as const;
export type AlarmType = keyof typeof endings;

export type WatchOptions = {
  readonly db: Db;
  readonly clock: Clock;
  readonly context: Omit<WriteContext, "roomFor">;
  /** Looks at everything of some tenants. */
  readonly look: (tx: Tx, tenantIds: readonly string[], now: number) => Promise<readonly Reading[]>;
};

/**
 * Looks once at the sources and queues of tenants that want to hear of them, and tells what began and what is over: each once,
 * in the transaction that notes it, however many processes look.
 */
export async function watchOperations({ db, clock, context, look }: WatchOptions): Promise<void> {
  const tenants = await db.inTransaction([], tenantsWhoListen);
  for (let from = 0; from < tenants.length; from += tenantsMax) {
    const some = tenants.slice(from, from + tenantsMax);
    await db.inTransaction(some, async (tx) => {
      if (!(await takeTurn(tx))) return;
      const now = clock.now();
      const readings = await look(tx, some, now);
      const known = new Map((await loadAlarms(tx, some)).map((row) => [keyOf(row), row]));
      const operations: Operation[] = [];
      for (const reading of readings) {
        operations.push(...(await follow(tx, reading, known.get(keyOf(reading))?.alarm ?? null, now)));
        known.delete(keyOf(reading));
      }
      // What they were about is gone, or switched off.
      for (const row of known.values()) await removeAlarm(tx, row);
      await announceOperations(tx, operations, now, { ...context, roomFor: () => 0 });
    });
  }
}

const tenantsMax = 200;

async function follow(tx: Tx, reading: Reading, before: AlarmRow["alarm"] | null, now: number): Promise<Operation[]> {
  const { tenantId, type, subject } = reading;
  const { alarm, said } = nextAlarm(before, reading.level, now, reading.patience);
  if (alarm) await saveAlarm(tx, { tenantId, type, subject, alarm });
  else if (before) await removeAlarm(tx, { tenantId, type, subject });
  if (said === null) return [];
  const told = { tenantId, endpointId: null, subject: `${type}:${subject}` };
  if (said === "begun") return [{ ...told, type, data: reading.data }];
  const since = new Date(before?.badSince ?? now).toISOString();
  return [{ ...told, type: endings[type], data: { ...reading.about, since } }];
}

function keyOf({ tenantId, type, subject }: { tenantId: string; type: string; subject: string }): string {
  return `${tenantId} ${type} ${subject}`;
}
