import type { Page } from "#/db/page.ts";
import type { Tx } from "#/db/transaction.ts";

import type { LogPosition } from "./log-store.ts";

/** A seal as it is kept: it stands for every event up to a place in the log. */
export type SealRow = {
  readonly number: number;
  readonly upto_xid: string;
  readonly upto_seq: string;
  readonly event_count: number;
  readonly root: Buffer;
  readonly head: Buffer;
  readonly sealed_at: Date;
};

export type DigestRow = { readonly xid: string; readonly seq: string; readonly digest: Buffer };

const columns = "number, upto_xid::text, upto_seq::text, event_count, root, head, sealed_at";

/** Digests of events beyond a place, in the order of the log; of transactions that may still commit nothing. */
export async function readDigests(
  tx: Tx,
  tenantId: string,
  after: LogPosition | null,
  upto: LogPosition | null,
  limit: number,
): Promise<DigestRow[]> {
  return tx.rows<DigestRow>(
    `select e.xid::text as xid, e.seq::text as seq, event_digest(e) as digest from events e
      where e.tenant_id = $1 and e.xid < pg_snapshot_xmin(pg_current_snapshot())
        and ($2::text is null or (e.xid, e.seq) > ($2::xid8, $3::bigint))
        and ($4::text is null or (e.xid, e.seq) <= ($4::xid8, $5::bigint))
      order by e.xid, e.seq limit $6`,
    [tenantId, after?.xid ?? null, after?.seq ?? null, upto?.xid ?? null, upto?.seq ?? null, limit],
  );
}

/** The youngest seals first. */
export async function listSeals(tx: Tx, tenantId: string, { before, limit }: Page<number>): Promise<SealRow[]> {
  return tx.rows<SealRow>(
    `select ${columns} from seals where tenant_id = $1 and ($2::int is null or number < $2) order by number desc limit $3`,
    [tenantId, before, limit],
  );
}

/** The oldest seals after a number first. */
export async function sealsAfter(tx: Tx, tenantId: string, after: number, limit: number): Promise<SealRow[]> {
  return tx.rows<SealRow>(
    `select ${columns} from seals where tenant_id = $1 and number > $2 order by number limit $3`,
    [tenantId, after, limit],
  );
}

/** Writes a seal; false when another process wrote the one of this number first. */
export async function insertSeal(tx: Tx, tenantId: string, seal: Omit<SealRow, "sealed_at">): Promise<boolean> {
  const made = await tx.run(
    `insert into seals (tenant_id, number, upto_xid, upto_seq, event_count, root, head) values ($1, $2, $3::xid8, $4, $5, $6, $7)
     on conflict (tenant_id, number) do nothing`,
    [tenantId, seal.number, seal.upto_xid, seal.upto_seq, seal.event_count, seal.root, seal.head],
  );
  return made === 1;
}
