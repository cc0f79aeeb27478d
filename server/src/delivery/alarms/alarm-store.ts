import type { Tx } from "#/db/transaction.ts";

import type { Alarm } from "./next-alarm.ts";

export type AlarmKey = { readonly tenantId: string; readonly type: string; readonly subject: string };
export type AlarmRow = AlarmKey & { readonly alarm: Alarm };

/** The tenants that somebody tells their operators of. */
export async function tenantsWhoListen(tx: Tx): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(
    "select id from lookup_tenants_with_operational_endpoints() as t (id) order by id",
  );
  return rows.map(({ id }) => id);
}

/** Lets one process at a time look; false: somebody else does. Until the end of the transaction. */
export async function takeTurn(tx: Tx): Promise<boolean> {
  const [row] = await tx.rows<{ taken: boolean }>(
    "select pg_try_advisory_xact_lock(hashtextextended('alarms', 0)) as taken",
  );
  return row?.taken ?? false;
}

export async function loadAlarms(tx: Tx, tenantIds: readonly string[]): Promise<AlarmRow[]> {
  const rows = await tx.rows<{
    tenant_id: string;
    type: string;
    subject: string;
    bad_since: Date;
    told_at: Date | null;
    good_since: Date | null;
  }>("select tenant_id, type, subject, bad_since, told_at, good_since from alarms where tenant_id = any ($1::uuid[])", [
    tenantIds,
  ]);
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    type: row.type,
    subject: row.subject,
    alarm: {
      badSince: row.bad_since.getTime(),
      toldAt: row.told_at?.getTime() ?? null,
      goodSince: row.good_since?.getTime() ?? null,
    },
  }));
}

export async function saveAlarm(tx: Tx, { tenantId, type, subject, alarm }: AlarmRow): Promise<void> {
  const [bad, told, good] = [alarm.badSince, alarm.toldAt, alarm.goodSince].map((ms) => ms && new Date(ms));
  await tx.run(
    `insert into alarms (tenant_id, type, subject, bad_since, told_at, good_since) values ($1, $2, $3, $4, $5, $6)
     on conflict (tenant_id, type, subject) do update
       set bad_since = excluded.bad_since, told_at = excluded.told_at, good_since = excluded.good_since`,
    [tenantId, type, subject, bad, told, good],
  );
}

export async function removeAlarm(tx: Tx, { tenantId, type, subject }: AlarmKey): Promise<void> {
  await tx.run("delete from alarms where tenant_id = $1 and type = $2 and subject = $3", [tenantId, type, subject]);
}
