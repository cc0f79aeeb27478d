import { createHash } from "node:crypto";

import { allTenants } from "#/db/all-tenants.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { limits } from "#/kernel/limits.ts";

import type { LogPosition } from "./log-store.ts";
import { insertSeal, listSeals, readDigests, sealsAfter } from "./seal-store.ts";
import type { DigestRow, SealRow } from "./seal-store.ts";

/**
 * Seals what came into the log since the last time, for every tenant. A seal holds the digest of its events and of the seal before
 * it, so that an event which was changed, added or removed afterwards shows. Safe to run anywhere, any number of times.
 */
export async function sealLogs(db: Db): Promise<number> {
  let sealed = 0;
  for (const tenant of await db.inTransaction([], allTenants)) {
    for (let count: number = limits.sealEventsMax; count === limits.sealEventsMax; sealed += count) {
      count = await db.inTransaction([tenant], (tx) => sealNext(tx, tenant));
    }
  }
  return sealed;
}

/** Seals the next events of one tenant; gives their number. */
async function sealNext(tx: Tx, tenantId: string): Promise<number> {
  const [last] = await listSeals(tx, tenantId, { before: null, limit: 1 });
  const after = last ? { xid: last.upto_xid, seq: last.upto_seq } : null;
  const rows = await readDigests(tx, tenantId, after, null, limits.sealEventsMax);
  const end = rows.at(-1);
  if (!end) return 0;
  const seal = sealOf(last ?? null, rows, end);
  return (await insertSeal(tx, tenantId, seal)) ? rows.length : 0;
}

/** What a check of the log found. `brokenAt` is the number of the first seal that does not fit its events. */
export type LogCheck = {
  readonly isIntact: boolean;
  readonly sealCount: number;
  readonly eventCount: number;
  readonly brokenAt: number | null;
  readonly head: string | null;
};

/**
 * Computes every seal of a tenant again from what is in the log. Bodies that were erased do not matter: their digests stand in
 * their place. Stops at the first seal that does not fit.
 */
export async function checkLog(db: Db, tenantId: string): Promise<LogCheck> {
  const check = { sealCount: 0, eventCount: 0, head: null as string | null };
  let last: SealRow | null = null;
  for (let seal = await nextSeal(db, tenantId, last); seal; seal = await nextSeal(db, tenantId, last)) {
    const rows = await digestsOf(db, tenantId, last, seal);
    const again = sealOf(last, rows, { xid: seal.upto_xid, seq: seal.upto_seq });
    if (!again.head.equals(seal.head)) return { ...check, isIntact: false, brokenAt: seal.number };
    check.sealCount++;
    check.eventCount += rows.length;
    check.head = seal.head.toString("hex");
    last = seal;
  }
  return { ...check, isIntact: true, brokenAt: null };
}

async function nextSeal(db: Db, tenantId: string, last: SealRow | null): Promise<SealRow | null> {
  const [seal] = await db.inTransaction([tenantId], (tx) => sealsAfter(tx, tenantId, last?.number ?? 0, 1));
  return seal ?? null;
}

/** One more than a seal can hold is asked for, so an event that was slipped in shows too. */
function digestsOf(db: Db, tenantId: string, last: SealRow | null, seal: SealRow): Promise<DigestRow[]> {
  const after = last ? { xid: last.upto_xid, seq: last.upto_seq } : null;
  const upto = { xid: seal.upto_xid, seq: seal.upto_seq };
  return db.inTransaction([tenantId], (tx) => readDigests(tx, tenantId, after, upto, limits.sealEventsMax + 1));
}

function sealOf(last: SealRow | null, rows: readonly DigestRow[], end: LogPosition): Omit<SealRow, "sealed_at"> {
  const root = createHash("sha256");
  for (const { digest } of rows) root.update(digest);
  const digest = root.digest();
  const place = `${rows.length} ${end.xid}:${end.seq}`;
  const head = createHash("sha256")
    .update(last?.head ?? "")
    .update(digest)
    .update(place)
    .digest();
  return {
    number: (last?.number ?? 0) + 1,
    upto_xid: end.xid,
    upto_seq: end.seq,
    event_count: rows.length,
    root: digest,
    head,
  };
}
