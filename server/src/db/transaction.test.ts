import { expect, test } from "vitest";

import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";

const { db, appPool } = await testDatabase();

test("what a transaction did is there when it returned, and gone when it threw", async () => {
  const tenant = await makeTenant(db);
  const insert = (name: string) => db.inTransaction([tenant], (tx) => tx.run(insertUser, [tenant, name]));
  await insert("kept");
  const failing = db.inTransaction([tenant], async (tx) => {
    await tx.run(insertUser, [tenant, "gone"]);
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(await namesOf(tenant)).toEqual(["kept"]);
});

test("a statement that fails leaves the connection usable for the next", async () => {
  const tenant = await makeTenant(db);
  for (let i = 0; i < 30; i++) {
    await expect(db.inTransaction([tenant], (tx) => tx.rows("select nonsense"))).rejects.toMatchObject({
      code: "42703",
    });
  }
  expect(appPool.waitingCount).toBe(0);
  expect(await namesOf(tenant)).toEqual([]);
});

test("a connection that broke is not given to the next", async () => {
  const tenant = await makeTenant(db);
  const broken = db.inTransaction([tenant], (tx) => tx.rows("select pg_terminate_backend(pg_backend_pid())"));
  await expect(broken).rejects.toThrow(/terminat/);
  expect(await namesOf(tenant)).toEqual([]);
});

test.each(["", "x", "'; drop table users; --", "{}"])(
  "a tenant named %j never reaches the database",
  async (tenant) => {
    await expect(db.inTransaction([tenant], (tx) => tx.rows("select 1"))).rejects.toThrow(
      "A tenant is named by its UUID",
    );
  },
);

test("numbers come as numbers, moments as dates, and a number that does not fit is not rounded", async () => {
  const row = await db.inTransaction([], (tx) =>
    tx.rows(
      "select 9007199254740991 as ms, '{1,null}'::bigint[] as list, '{}'::bigint[] as none, to_timestamp(0) as at",
    ),
  );
  expect(row).toEqual([{ ms: 9_007_199_254_740_991, list: [1, null], none: [], at: new Date(0) }]);
  const large = db.inTransaction([], (tx) => tx.rows("select 9007199254740993 as ms"));
  await expect(large).rejects.toThrow("does not fit a number");
});

test("every statement runs as the application, with limits on how long it may take", async () => {
  const [row] = await db.inTransaction([], (tx) =>
    tx.rows(`select current_user as "user", current_setting('statement_timeout') as statement,
             current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle`),
  );
  expect(row).toEqual({ user: "aftercall_app", statement: "15s", lock: "5s", idle: "30s" });
});

const insertUser = "insert into users (tenant_id, id, external_id) values ($1, gen_random_uuid(), $2)";

async function namesOf(tenant: string): Promise<string[]> {
  const rows = await db.inTransaction([tenant], (tx) =>
    tx.rows<{ external_id: string }>("select external_id from users order by 1"),
  );
  return rows.map((row) => row.external_id);
}
