import { expect, test } from "vitest";

import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import type { Tx } from "../db/transaction.ts";
import { followDeliveries } from "./follow.ts";

/** Longer than any machine takes. */
const patience = { timeout: 25_000 };
const { db } = await testDatabase();

/** As whoever writes results asks. */
async function isFollowed(tx: Tx, tenantId: string): Promise<boolean> {
  const [row] = await tx.rows<{ is: boolean }>('select follows_deliveries($1) as "is"', [tenantId]);
  return row?.is ?? false;
}

test("who begins to follow waits for results that are just being written without telling anybody", async () => {
  const tenantId = await makeTenant(db);
  let isFollowing = false;
  const { following } = await db.inTransaction([tenantId], async (tx) => {
    expect(await isFollowed(tx, tenantId)).toBe(false);
    const begun = followDeliveries(db, tenantId).finally(() => (isFollowing = true));
    const waiting =
      "select count(*)::int as count from pg_locks where locktype = 'advisory' and not granted and pid <> 0";
    await expect.poll(async () => (await tx.rows<{ count: number }>(waiting))[0]?.count, patience).toBeGreaterThan(0);
    expect(isFollowing).toBe(false);
    return { following: begun };
  });
  await following;
  await db.inTransaction([tenantId], async (tx) => expect(await isFollowed(tx, tenantId)).toBe(true));
});

test("results are seen to be wanted by a transaction that was there before, once they are", async () => {
  const tenantId = await makeTenant(db);
  await db.inTransaction([tenantId], async (tx) => {
    await tx.rows("select 1");
    await followDeliveries(db, tenantId);
    expect(await isFollowed(tx, tenantId)).toBe(true);
  });
});

test("following goes on from the first moment, however often it is asked for, and starts anew when it was over", async () => {
  const tenantId = await makeTenant(db);
  const since = await followDeliveries(db, tenantId);
  expect(await followDeliveries(db, tenantId)).toBe(since);
  const change = (what: string) => db.inTransaction([tenantId], (tx) => tx.run(`update delivery_follows set ${what}`));
  await change("until = now() + interval '3 hours'");
  expect(await followDeliveries(db, tenantId)).toBe(since);
  await change("until = now() - interval '1 second', since = '2020-01-01'");
  await db.inTransaction([tenantId], async (tx) => expect(await isFollowed(tx, tenantId)).toBe(false));
  expect(await followDeliveries(db, tenantId)).toBeGreaterThanOrEqual(since);
});
