import { expect, test } from "vitest";

import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";

const { db, ownerPool, appPool } = await testDatabase();

test("a query that forgets its tenant sees nothing", async () => {
  const tenant = await makeTenant(db);
  await insertUser(tenant, tenant);
  expect(await appPool.query("select * from users")).toMatchObject({ rows: [] });
  expect(await db.inTransaction([], (tx) => tx.rows("select * from users"))).toEqual([]);
});

test("a query sees the rows of its tenants, and no other's, whatever it asks for", async () => {
  const [mine, theirs] = [await makeTenant(db), await makeTenant(db)];
  await insertUser(mine, mine);
  await insertUser(theirs, theirs);
  const seen = await db.inTransaction([mine], (tx) => tx.rows<{ tenant_id: string }>("select tenant_id from users"));
  expect(seen).toEqual([{ tenant_id: mine }]);
  const both = await db.inTransaction([mine, theirs], (tx) => tx.rows("select from users"));
  expect(both).toHaveLength(2);
});

test("a row cannot be written for another tenant", async () => {
  const [mine, theirs] = [await makeTenant(db), await makeTenant(db)];
  await expect(insertUser(mine, theirs)).rejects.toMatchObject({ code: "42501" });
});

test("the owner of the tables is bound as well", async () => {
  const tenant = await makeTenant(db);
  await insertUser(tenant, tenant);
  expect(await ownerPool.query("select * from users where tenant_id = $1", [tenant])).toMatchObject({ rows: [] });
});

test("the setting does not outlive its transaction in the pool", async () => {
  const tenant = await makeTenant(db);
  await insertUser(tenant, tenant);
  for (let i = 0; i < 20; i++) expect((await appPool.query("select from users")).rowCount).toBe(0);
});

test("every table with a tenant_id has forced row-level security", async () => {
  const open = await appPool.query(
    `select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)`,
  );
  expect(open.rows).toEqual([]);
});

test("the application may neither change the log nor empty it", async () => {
  for (const sql of ["update events set type = ''", "delete from events", "truncate events", "delete from audit_log"]) {
    await expect(appPool.query(sql)).rejects.toMatchObject({ code: "42501" });
  }
});

test("not even the owner changes the log", async () => {
  for (const sql of ["update events set type = ''", "delete from events", "truncate events cascade"]) {
    await expect(ownerPool.query(sql)).rejects.toMatchObject({ code: "42501" });
  }
});

function insertUser(asTenant: string, forTenant: string): Promise<number> {
  return db.inTransaction([asTenant], (tx) =>
    tx.run("insert into users (tenant_id, id, external_id) values ($1, gen_random_uuid(), 'u')", [forTenant]),
  );
}
